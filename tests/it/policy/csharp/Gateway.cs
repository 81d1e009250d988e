// Runs policies against scripts: as much of API Management as our policies name, in virtual time, with a cache and backends
// that do what a script says. In: {"policies": [...], "cases": [...]}. Out: one line of JSON for each call of each case.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

public static class Clock {
    public static long Now; // milliseconds since 1970
    public static DateTime UtcNow { get { return new DateTime(1970, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddTicks(Now * 10000L); } }
    public static DateTimeOffset Offset { get { return new DateTimeOffset(UtcNow); } }
}

public static class Dice {
    public static Context Of;
    // The number that the simulator draws for this attempt, below n.
    public static int Next(int n) {
        ulong draw = Of.Draws[(int)Of.Values["aoai-lb-attempts"]];
        ulong high = draw >> 32, low = draw & 0xffffffffUL, m = (ulong)n;
        return (int)((high * m + ((low * m) >> 32)) >> 32);
    }
}

public class Url : IUrl {
    public string Host { get; set; }
    public string Path { get; set; }
    public string Base;
    public Url(string text) {
        Base = text;
        var rest = text.Substring(text.IndexOf("://") + 3);
        Host = rest.Substring(0, rest.IndexOf("/"));
        Path = rest.Substring(rest.IndexOf("/"));
    }
}

public class MessageBody : IMessageBody {
    readonly string text;
    bool gone;
    public MessageBody(string text) { this.text = text; }
    public T As<T>(bool preserveContent = false) {
        if (gone) { throw new InvalidOperationException("the body is gone"); }
        gone = !preserveContent;
        return (T)(object)JObject.Parse(text);
    }
    public bool Gone { get { return gone; } }
}

public class Request : IRequest {
    public MessageBody Content;
    public IMessageBody Body { get { return Content; } }
    public Dictionary<string, string[]> Fields;
    public IReadOnlyDictionary<string, string[]> Headers { get { return Fields; } }
    public string IpAddress { get { return "192.0.2.7"; } }
    public string Method { get; set; }
    public IUrl OriginalUrl { get; set; }
    public IUrl Url { get; set; }
    public List<string> Query;
}

public class Response : IResponse {
    public Dictionary<string, string[]> Fields = new Dictionary<string, string[]>(StringComparer.OrdinalIgnoreCase);
    public IReadOnlyDictionary<string, string[]> Headers { get { return Fields; } }
    public int StatusCode { get; set; }
    public string Text = "";
}

public class Named : ISubscription, IApi { public string Id { get; set; } public string Path { get; set; } }

public class Context : IContext {
    public Request Sent;
    public Response Got;
    public Dictionary<string, object> Values = new Dictionary<string, object>();
    public Named Caller, Called;
    public long Started;
    public ulong[] Draws;
    public IRequest Request { get { return Sent; } }
    public IResponse Response { get { return Got; } }
    public IReadOnlyDictionary<string, object> Variables { get { return Values; } }
    public ISubscription Subscription { get { return Caller; } }
    public IApi Api { get { return Called; } }
    public TimeSpan Elapsed { get { return TimeSpan.FromMilliseconds(Clock.Now - Started); } }
}

// return-response: the caller has its answer.
class Answered : Exception { public Response Response; }

// forward-request without an answer.
class Failed : Exception { }

class Call {
    readonly JObject urls, policy;
    readonly Queue<JToken> replies;
    readonly Dictionary<string, Tuple<object, long>> cache;
    readonly List<Action> later = new List<Action>();
    readonly bool late;
    readonly Context context = new Context();
    readonly JArray sent = new JArray();
    readonly JArray counted = new JArray();
    string section, backend, path;

    public Call(JObject urls, JObject policy, JObject script, Dictionary<string, Tuple<object, long>> cache, bool late) {
        this.urls = urls;
        this.policy = policy;
        this.cache = cache;
        this.late = late;
        replies = new Queue<JToken>((JArray)script["replies"]);
        Clock.Now = (long)script["at"];
        context.Started = Clock.Now;
        context.Draws = script["draws"].Select(draw => ulong.Parse((string)draw)).ToArray();
        context.Caller = (string)script["subscription"] == null ? null : new Named { Id = (string)script["subscription"] };
        context.Called = new Named { Id = "openai", Path = "openai" };
        var url = new Url("https://gateway" + (string)script["path"]);
        var fields = new Dictionary<string, string[]>(StringComparer.OrdinalIgnoreCase);
        foreach (var field in script["headers"]) { fields[(string)field[0]] = new[] { (string)field[1] }; }
        context.Sent = new Request {
            Method = (string)script["method"], OriginalUrl = url, Url = url, Fields = fields,
            Query = script["query"].Select(field => (string)field).ToList(),
            Content = (string)script["body"] == null ? null : new MessageBody((string)script["body"]),
        };
        Dice.Of = context;
    }

    object Value(string text) {
        return text.StartsWith("#!") ? Expressions.All[int.Parse(text.Substring(2))](context) : text;
    }
    string Text(JToken text) { return Convert.ToString(Value((string)text)); }
    bool Holds(JToken text) { return (bool)Value((string)text); }

    public JObject Go() {
        Response answer;
        try {
            try {
                foreach (var name in new[] { "inbound", "backend", "outbound" }) { Section(name); }
            } catch (Failed) {
                Section("on-error");
            }
            answer = context.Got ?? new Response { StatusCode = 500 };
        } catch (Answered answered) {
            answer = answered.Response;
        }
        foreach (var action in later) { action(); }
        if (context.Sent.Content != null && context.Sent.Content.Gone) { throw new Exception("the body did not survive"); }
        var headers = answer.Fields.OrderBy(field => field.Key.ToLowerInvariant(), StringComparer.Ordinal);
        return new JObject {
            { "status", answer.StatusCode }, { "body", answer.Text }, { "sent", sent }, { "counted", counted }, { "ended", Clock.Now },
            { "left", replies.Count },
            { "headers", new JArray(headers.Select(field => field.Key.ToLowerInvariant() + ": " + string.Join(",", field.Value))) },
        };
    }

    void Section(string name) {
        section = name;
        Run(((JArray)policy["c"]).Single(child => (string)child["n"] == name));
    }

    void Run(JToken parent) { foreach (var element in parent["c"]) { Policy(element); } }

    void Policy(JToken element) {
        var a = element["a"];
        switch ((string)element["n"]) {
            case "base": break;
            case "set-variable": context.Values[(string)a["name"]] = Value((string)a["value"]); break;
            case "set-header":
                bool response = section == "outbound" || section == "on-error";
                SetHeader(response ? context.Got.Fields : context.Sent.Fields, element);
                break;
            case "set-query-parameter":
                context.Sent.Query.RemoveAll(field =>
                    string.Equals(Uri.UnescapeDataString(field.Split('=')[0]), Text(a["name"]), StringComparison.OrdinalIgnoreCase));
                break;
            case "choose":
                var branch = element["c"].FirstOrDefault(when => (string)when["n"] == "otherwise" || Holds(when["a"]["condition"]));
                if (branch != null) { Run(branch); }
                break;
            case "return-response":
                var answer = new Response();
                foreach (var part in element["c"]) {
                    switch ((string)part["n"]) {
                        case "set-status": answer.StatusCode = int.Parse(Text(part["a"]["code"])); break;
                        case "set-header": SetHeader(answer.Fields, part); break;
                        case "set-body": answer.Text = Text(part["t"]); break;
                        default: throw new Exception("in return-response: " + part["n"]);
                    }
                }
                throw new Answered { Response = answer };
            case "validate-azure-ad-token":
                if (!context.Sent.Fields["Authorization"][0].StartsWith("Bearer app=")) { throw new Exception("no token"); }
                break;
            case "authentication-managed-identity":
                if (a["output-token-variable-name"] != null) { context.Values[(string)a["output-token-variable-name"]] = "TOKEN"; }
                else { context.Sent.Fields["Authorization"] = new[] { "Bearer TOKEN" }; }
                break;
            case "llm-token-limit": counted.Add(Text(a["counter-key"])); break;
            case "llm-emit-token-metric":
                foreach (var dimension in element["c"].Where(dimension => dimension["a"]["value"] != null)) {
                    counted.Add(dimension["a"]["name"] + "=" + Text(dimension["a"]["value"]));
                }
                break;
            case "set-backend-service": backend = Text(a["backend-id"]); break;
            case "rewrite-uri": path = Text(a["template"]); break;
            case "cache-lookup-value":
                Internal(a);
                Tuple<object, long> held;
                bool hit = cache.TryGetValue(Text(a["key"]), out held) && held.Item2 > Clock.Now;
                context.Values[(string)a["variable-name"]] = hit ? held.Item1 : Value((string)a["default-value"]);
                break;
            case "cache-store-value":
                Internal(a);
                string key = Text(a["key"]);
                int duration = int.Parse(Text(a["duration"]));
                if (duration < 1) { throw new Exception("nothing is kept for " + duration); }
                var kept = Tuple.Create(Value((string)a["value"]), Clock.Now + 1000L * duration);
                if (late) { later.Add(() => cache[key] = kept); } else { cache[key] = kept; }
                break;
            case "retry": Retry(element); break;
            case "forward-request": Forward(a); break;
            default: throw new Exception("no such policy here: " + element["n"]);
        }
    }

    static void Internal(JToken a) {
        if ((string)a["caching-type"] != "internal") { throw new Exception("not the internal cache"); }
    }

    void SetHeader(Dictionary<string, string[]> fields, JToken element) {
        string name = Text(element["a"]["name"]), action = Text(element["a"]["exists-action"]);
        var values = element["c"].Select(value => Text(value["t"])).ToArray();
        if (action == "delete") { fields.Remove(name); }
        else if (action == "override") { fields[name] = values; }
        else { throw new Exception("exists-action " + action); }
    }

    void Retry(JToken element) {
        var a = element["a"];
        int count = int.Parse(Text(a["count"]));
        for (int repeated = 0; ; repeated++) {
            Failed failed = null;
            try { Run(element); } catch (Failed failure) { failed = failure; }
            if (repeated == count || !Holds(a["condition"])) {
                if (failed != null) { throw failed; }
                return;
            }
            bool atOnce = repeated == 0 && (string)a["first-fast-retry"] == "true";
            Clock.Now += atOnce ? 0L : 1000L * int.Parse(Text(a["interval"]));
        }
    }

    void Forward(JToken a) {
        if ((string)a["buffer-request-body"] != "true" || (string)a["buffer-response"] != "false") { throw new Exception("buffers"); }
        if (replies.Count == 0) { throw new Exception("one attempt more than the twin"); }
        var reply = replies.Dequeue();
        // a pool's member is the script's
        var url = new Url((string)reply["url"] ?? (string)urls[backend.ToLowerInvariant()]);
        context.Sent.Url = new Url(url.Base + path);
        var headers = context.Sent.Fields.OrderBy(field => field.Key.ToLowerInvariant(), StringComparer.Ordinal);
        sent.Add(new JObject {
            { "backend", backend },
            { "url", url.Base + path + (context.Sent.Query.Count == 0 ? "" : "?") + string.Join("&", context.Sent.Query) },
            { "headers", new JArray(headers.Select(field => field.Key.ToLowerInvariant() + ": " + string.Join(",", field.Value))) },
            { "at", Clock.Now },
        });
        Clock.Now += (long)reply["ms"];
        context.Got = null;
        if (reply["status"] == null) { throw new Failed(); }
        context.Got = new Response { StatusCode = (int)reply["status"] };
        foreach (var field in reply["headers"]) { context.Got.Fields[(string)field[0]] = new[] { (string)field[1] }; }
        if ((bool?)reply["error"] == true) { throw new Failed(); }
    }
}

public static class Program {
    public static void Main(string[] files) {
        var settings = new JsonSerializerSettings { DateParseHandling = DateParseHandling.None };
        var input = JsonConvert.DeserializeObject<JObject>(File.ReadAllText(files[0]), settings);
        foreach (var script in input["cases"]) {
            var cache = new Dictionary<string, Tuple<object, long>>();
            var policy = (JObject)input["policies"][(int)script["policy"]];
            foreach (var call in script["calls"]) {
                JObject said;
                try {
                    said = new Call((JObject)input["urls"], policy, (JObject)call, cache, (bool)script["late"]).Go();
                } catch (Exception problem) {
                    said = new JObject { { "problem", problem.ToString() } };
                }
                Console.WriteLine(said.ToString(Formatting.None));
            }
        }
    }
}

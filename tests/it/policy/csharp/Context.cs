// What a policy's expressions see of API Management, as far as ours use it: types and names as documented
// (learn.microsoft.com, API Management, Policy expressions).
using System;
using System.Collections.Generic;

public interface IUrl { string Host { get; } string Path { get; } }

public interface IMessageBody { T As<T>(bool preserveContent = false); }

public interface IRequest {
    IMessageBody Body { get; }
    IReadOnlyDictionary<string, string[]> Headers { get; }
    string IpAddress { get; }
    string Method { get; }
    IUrl OriginalUrl { get; }
    IUrl Url { get; }
}

public interface IResponse {
    IReadOnlyDictionary<string, string[]> Headers { get; }
    int StatusCode { get; }
}

public interface ISubscription { string Id { get; } }

public interface IApi { string Id { get; } string Path { get; } }

public interface IContext {
    IRequest Request { get; }
    IResponse Response { get; }
    IReadOnlyDictionary<string, object> Variables { get; }
    ISubscription Subscription { get; }
    IApi Api { get; }
    TimeSpan Elapsed { get; }
}

public class Jwt { public IReadOnlyDictionary<string, string[]> Claims { get; set; } }

public static class Extensions {
    public static string GetValueOrDefault(this IReadOnlyDictionary<string, string[]> headers, string name, string otherwise) {
        string[] values;
        return headers.TryGetValue(name, out values) ? string.Join(",", values) : otherwise;
    }

    // Null for what is no token. Only the harness gives tokens a meaning: "app=ID".
    public static Jwt AsJwt(this string text) {
        if (!text.StartsWith("app=", StringComparison.Ordinal)) { return null; }
        return new Jwt { Claims = new Dictionary<string, string[]> { { "appid", new[] { text.Substring(4) } } } };
    }
}

// What a policy's expressions see of API Management, as far as ours use it: types and names as documented
// (learn.microsoft.com, API Management, Policy expressions). Nothing here runs.
using System;
using System.Collections.Generic;

public interface IUrl { string Host { get; } string Path { get; } }

public interface IRequest {
    IReadOnlyDictionary<string, string[]> Headers { get; }
    IUrl OriginalUrl { get; }
    IUrl Url { get; }
}

public interface IResponse {
    IReadOnlyDictionary<string, string[]> Headers { get; }
    int StatusCode { get; }
}

public interface ISubscription { string Id { get; } }

public interface IApi { string Path { get; } }

public interface IContext {
    IRequest Request { get; }
    IResponse Response { get; }
    IReadOnlyDictionary<string, object> Variables { get; }
    ISubscription Subscription { get; }
    IApi Api { get; }
    TimeSpan Elapsed { get; }
}

public static class Extensions {
    public static string GetValueOrDefault(this IReadOnlyDictionary<string, string[]> headers, string name, string otherwise) {
        string[] values;
        return headers.TryGetValue(name, out values) ? string.Join(",", values) : otherwise;
    }
}

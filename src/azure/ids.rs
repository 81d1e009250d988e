//! Addresses: a url taken apart, and resource ids in Azure's own case.

use super::state::State;
use crate::catalogue::ResourceType;

/// A url's path and query, percent escapes undone.
#[derive(Clone, Debug, Default)]
pub(super) struct Url {
    pub path: Vec<String>,
    pub query: Vec<(String, String)>,
    /// An escaped slash inside the path: no address of Azure's has one.
    pub escaped_slash: bool,
}

impl Url {
    pub fn parse(url: &str) -> Url {
        let rest = match url.find("://") {
            Some(at) => url[at + 3..].find('/').map_or("", |slash| &url[at + 3 + slash..]),
            None => url,
        };
        let rest = rest.split('#').next().unwrap_or("");
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Url {
            escaped_slash: path.to_ascii_lowercase().contains("%2f"),
            path: path.split('/').filter(|part| !part.is_empty()).map(decode).collect(),
            query: query
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
        }
    }

    /// A query parameter, its name without case.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Undoes percent escapes; what is no escape stays.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escaped = (bytes[i] == b'%').then(|| bytes.get(i + 1..i + 3)).flatten();
        let byte =
            escaped.and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte {
            Some(byte) => {
                out.push(byte);
                i += 3;
            }
            None => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The id of a resource in a group: names by the segments of its type.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ResourceId {
    pub subscription: String,
    pub group: String,
    pub kind: &'static ResourceType,
    /// As many as the type has segments.
    pub names: Vec<String>,
}

impl ResourceId {
    /// `/subscriptions/.../name`.
    pub fn text(&self) -> String {
        let mut text = format!(
            "/subscriptions/{}/resourceGroups/{}/providers/{}",
            self.subscription,
            self.group,
            self.kind.namespace()
        );
        for (segment, name) in self.kind.segments().zip(&self.names) {
            text.push_str(&format!("/{segment}/{name}"));
        }
        text
    }

    /// The key of the state's maps.
    pub fn key(&self) -> String {
        self.text().to_lowercase()
    }

    /// The last name.
    pub fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    /// The id of the parent, `None` for a resource that stands in the group itself.
    pub fn parent(&self) -> Option<ResourceId> {
        let (kind, _) = self.kind.name.rsplit_once('/')?;
        let kind = crate::catalogue::resource_type(kind)?;
        let names = self.names[..self.names.len().checked_sub(1)?].to_vec();
        Some(ResourceId { kind, names, ..self.clone() })
    }

    /// The id of the first resource of the chain: the service or account.
    pub fn top(&self) -> ResourceId {
        self.parent().map_or_else(|| self.clone(), |parent| parent.top())
    }

    /// `Microsoft.ApiManagement/service/x/backends/y`, as the gateway names a resource in its errors.
    pub fn short(&self) -> String {
        let parts: Vec<String> =
            self.kind.segments().zip(&self.names).map(|(segment, name)| format!("{segment}/{name}")).collect();
        format!("{}/{}", self.kind.namespace(), parts.join("/"))
    }

    /// The same id in the case in which Azure keeps group and names.
    pub fn recased(mut self, state: &State) -> ResourceId {
        if let Some(group) = state.groups.get(&group_key(&self.subscription, &self.group)) {
            self.group.clone_from(&group.name);
            self.subscription.clone_from(&group.subscription);
        }
        if let Some(parent) = self.parent() {
            let parent = parent.recased(state);
            let own = self.names.pop();
            self.names = parent.names;
            self.names.extend(own);
        }
        if let (Some(kept), Some(name)) = (state.resources.get(&self.key()), self.names.last_mut()) {
            name.clone_from(&kept.name);
        }
        self
    }
}

/// The key of a group.
pub(super) fn group_key(subscription: &str, group: &str) -> String {
    group_id(subscription, group).to_lowercase()
}

/// The id of a group.
pub(super) fn group_id(subscription: &str, group: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{group}")
}

/// Reads the id of a resource of a known type from a text, without the state's case.
pub(super) fn parse_id(text: &str) -> Option<ResourceId> {
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    let [subscriptions, subscription, groups, group, providers, rest @ ..] = parts.as_slice() else { return None };
    let fits = subscriptions.eq_ignore_ascii_case("subscriptions")
        && groups.eq_ignore_ascii_case("resourceGroups")
        && providers.eq_ignore_ascii_case("providers");
    if !fits {
        return None;
    }
    in_group(subscription, group, rest)
}

/// Reads `Namespace/type/name/...` inside a group.
pub(super) fn in_group(subscription: &str, group: &str, rest: &[&str]) -> Option<ResourceId> {
    let (namespace, pairs) = rest.split_first()?;
    if pairs.is_empty() || pairs.len() % 2 != 0 {
        return None;
    }
    let kind = pairs.iter().step_by(2).fold(namespace.to_string(), |kind, segment| format!("{kind}/{segment}"));
    Some(ResourceId {
        subscription: subscription.to_string(),
        group: group.to_string(),
        kind: crate::catalogue::resource_type(&kind)?,
        names: pairs.iter().skip(1).step_by(2).map(|name| name.to_string()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url =
            Url::parse("https://management.azure.com:443/a/b%20c//d==?x=1%2F2&API-version=2024-05-01&asyncResponse#f");
        assert_eq!(url.path, ["a", "b c", "d=="]);
        assert_eq!(url.query("api-VERSION"), Some("2024-05-01"));
        assert_eq!((url.query("asyncResponse"), url.query("x"), url.escaped_slash), (Some(""), Some("1/2"), false));
        assert!(Url::parse("/a%2Fb").escaped_slash);
        assert_eq!(Url::parse("https://host").path.len(), 0);
        assert_eq!(Url::parse("/%zz%4").path, ["%zz%4"]);
    }

    #[test]
    fn ids_are_read_without_case_and_printed_in_azures() {
        let text =
            "/subscriptions/s/resourcegroups/g/providers/microsoft.apimanagement/SERVICE/a/Apis/b/POLICIES/policy";
        let id = parse_id(text).expect("an id");
        assert_eq!(
            id.text(),
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.ApiManagement/service/a/apis/b/policies/policy"
        );
        assert_eq!(id.short(), "Microsoft.ApiManagement/service/a/apis/b/policies/policy");
        assert_eq!((id.top().short().as_str(), id.name()), ("Microsoft.ApiManagement/service/a", "policy"));
        for wrong in
            ["", "/", "/subscriptions/s", "/subscriptions/s/resourceGroups/g/providers/x/y/z", &text[..text.len() - 7]]
        {
            assert_eq!(parse_id(wrong), None, "{wrong}");
        }
    }
}

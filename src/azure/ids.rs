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
                // as in forms, a plus is a blank
                .map(|(name, value)| (decode(name), decode(&value.replace('+', " "))))
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

/// A resource type as an address names it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kind {
    /// In Azure's own case where the type is known, else as it was written.
    pub name: String,
    /// What is known of it; a world may be told to take others as well.
    pub known: Option<&'static ResourceType>,
}

impl Kind {
    pub fn new(name: &str) -> Kind {
        let known = crate::catalogue::resource_type(name);
        Kind { name: known.map_or(name, |known| known.name).to_string(), known }
    }

    /// The provider, `Microsoft.ApiManagement`.
    pub fn namespace(&self) -> &str {
        self.name.split('/').next().unwrap_or("")
    }

    /// The parts after the provider: `service`, `backends`.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.name.split('/').skip(1)
    }

    /// Whether it can stand on a resource of another type, under `/providers/` of its own.
    pub fn extends(&self) -> bool {
        let known = ["Microsoft.Insights/diagnosticSettings", "Microsoft.Resources/tags"];
        self.known.is_none() || self.namespace() == "Microsoft.Authorization" || known.contains(&self.name.as_str())
    }
}

/// The id of a resource: where it stands, and names by the segments of its type.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ResourceId {
    pub subscription: String,
    /// Empty for what stands in the subscription itself.
    pub group: String,
    /// The resource that it is about, where it is an extension of one: a lock, a role assignment.
    pub on: Option<Box<ResourceId>>,
    pub kind: Kind,
    /// As many as the type has segments.
    pub names: Vec<String>,
}

impl ResourceId {
    /// `/subscriptions/.../name`.
    pub fn text(&self) -> String {
        format!("{}/providers/{}", self.scope(), self.short())
    }

    /// The id of what it stands in or on: a subscription, a group, or a resource.
    pub fn scope(&self) -> String {
        match &self.on {
            Some(on) => on.text(),
            None if self.group.is_empty() => format!("/subscriptions/{}", self.subscription),
            None => group_id(&self.subscription, &self.group),
        }
    }

    /// The key of the state's maps.
    pub fn key(&self) -> String {
        self.text().to_lowercase()
    }

    /// The last name.
    pub fn name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    /// The id of the parent, `None` for a resource that is no child of another.
    pub fn parent(&self) -> Option<ResourceId> {
        let (kind, _) = self.kind.name.rsplit_once('/').filter(|(kind, _)| kind.contains('/'))?;
        let names = self.names[..self.names.len().checked_sub(1)?].to_vec();
        Some(ResourceId { kind: Kind::new(kind), names, ..self.clone() })
    }

    /// The id of a child, `("backends", "b")`.
    pub fn child(&self, segment: &str, name: &str) -> ResourceId {
        let kind = Kind::new(&format!("{}/{segment}", self.kind.name));
        let names = self.names.iter().cloned().chain([name.to_string()]).collect();
        ResourceId { kind, names, ..self.clone() }
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

    /// The same id in the case in which Azure keeps group, type and names.
    pub fn recased(mut self, state: &State) -> ResourceId {
        if let Some(group) = state.groups.get(&group_key(&self.subscription, &self.group)) {
            self.group.clone_from(&group.name);
            self.subscription.clone_from(&group.subscription);
        }
        self.on = self.on.map(|on| Box::new(on.recased(state)));
        if let Some(parent) = self.parent() {
            let parent = parent.recased(state);
            let own = self.names.pop();
            self.names = parent.names;
            self.names.extend(own);
        }
        if let Some(current) = self.current_revision(state) {
            self.names = current;
        }
        if let Some(kept) = state.resources.get(&self.key()) {
            if self.kind.known.is_none() {
                self.kind.name.clone_from(&kept.kind);
            }
            if let Some(name) = self.names.last_mut() {
                name.clone_from(&kept.name);
            }
        }
        self
    }

    /// The names of an API that is asked for by the number of its current revision, `x;rev=1`: it stands under `x`.
    fn current_revision(&self, state: &State) -> Option<Vec<String>> {
        let (api, revision) = self.names.last()?.split_once(";rev=")?;
        let mut names = self.names.clone();
        *names.last_mut()? = api.to_string();
        let kept = state.resources.get(&ResourceId { names: names.clone(), ..self.clone() }.key())?;
        (kept.text("properties/apiRevision") == revision).then_some(names)
    }
}

/// Whether a text is a GUID, as subscriptions and principals are named.
pub(super) fn is_guid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// The key of a group.
pub(super) fn group_key(subscription: &str, group: &str) -> String {
    group_id(subscription, group).to_lowercase()
}

/// The id of a group.
pub(super) fn group_id(subscription: &str, group: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{group}")
}

/// Reads the id of a resource from a text, without the state's case. Any type is taken: who knows it looks at its kind.
pub(super) fn parse_id(text: &str) -> Option<ResourceId> {
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    from_parts(&parts)
}

/// The same from the parts of a path.
pub(super) fn from_parts(parts: &[&str]) -> Option<ResourceId> {
    let at = parts.iter().rposition(|part| part.eq_ignore_ascii_case("providers"))?;
    let (scope, rest) = (&parts[..at], &parts[at + 1..]);
    let (namespace, pairs) = rest.split_first()?;
    if pairs.is_empty() || !pairs.len().is_multiple_of(2) {
        return None;
    }
    let kind = pairs.iter().step_by(2).fold((*namespace).to_string(), |kind, segment| format!("{kind}/{segment}"));
    let names = pairs.iter().skip(1).step_by(2).map(|name| (*name).to_string()).collect();
    let (subscription, group, on) = match scope {
        [subscriptions, subscription] if subscriptions.eq_ignore_ascii_case("subscriptions") => {
            ((*subscription).to_string(), String::new(), None)
        }
        [subscriptions, subscription, groups, group]
            if subscriptions.eq_ignore_ascii_case("subscriptions") && groups.eq_ignore_ascii_case("resourceGroups") =>
        {
            ((*subscription).to_string(), (*group).to_string(), None)
        }
        _ => {
            let on = from_parts(scope)?;
            (on.subscription.clone(), on.group.clone(), Some(Box::new(on)))
        }
    };
    Some(ResourceId { subscription, group, on, kind: Kind::new(&kind), names })
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
        for wrong in ["", "/", "/subscriptions/s", "/providers/x/y/z", "/a/b/providers/x/y/z", &text[..text.len() - 7]]
        {
            assert_eq!(parse_id(wrong), None, "{wrong}");
        }
        let odd = "/subscriptions/s/resourceGroups/g/providers/Contoso.Odd/things/t";
        assert_eq!(parse_id(odd).map(|id| (id.text(), id.kind.known)), Some((odd.to_string(), None)));
    }

    #[test]
    fn an_extension_stands_on_a_subscription_a_group_or_a_resource() {
        let lock = "providers/Microsoft.Authorization/locks/l";
        for scope in [
            "/subscriptions/s",
            "/subscriptions/s/resourceGroups/g",
            "/subscriptions/s/resourceGroups/g/providers/a/b/c",
        ] {
            let id = parse_id(&format!("{scope}/{lock}")).expect("an id");
            assert_eq!((id.scope().as_str(), id.name(), id.parent()), (scope, "l", None));
            assert_eq!(id.text(), format!("{scope}/{lock}"));
        }
    }
}

//! The graph as Bicep, through the templates under `templates/`: values print themselves, templates lay them out.
//!
//! What comes out is as `bicep format` leaves it (facts/bicep.md 3).

use super::value::is_identifier;
use super::{About, Body, Module, Output, Parameter, Presence, Resource, Template, Value};
use crate::policy::print::environment;
use crate::topology::{Address, Place};
use minijinja::{Environment, Value as Jinja, context};
use std::fmt;
use std::sync::OnceLock;

/// Text that is Bicep already: the only thing beside integers that a Bicep template can print.
#[derive(Debug)]
struct Bicep(String);

impl fmt::Display for Bicep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl minijinja::value::Object for Bicep {}

/// The widest line that `bicep format` leaves unbroken.
const WIDTH: usize = 120;

macro_rules! templates {
    ($($path:literal)*) => {
        &[$(($path, include_str!(concat!("../../templates/", $path)))),*]
    };
}

const TEMPLATES: &[(&str, &str)] = templates![
    "main.bicep.j2"
    "main.bicepparam.j2"
    "modules/account.bicep.j2"
    "modules/gateway.bicep.j2"
    "modules/role-assignment.bicep.j2"
    "parts/body.bicep.j2"
    "parts/depends-on.bicep.j2"
    "parts/message.bicep.j2"
    "parts/messages.bicep.j2"
    "parts/outputs.bicep.j2"
    "parts/parameters.bicep.j2"
    "resources/account.bicep.j2"
    "resources/alert.bicep.j2"
    "resources/api.bicep.j2"
    "resources/application-insights.bicep.j2"
    "resources/backend.bicep.j2"
    "resources/deployment.bicep.j2"
    "resources/diagnostic-setting.bicep.j2"
    "resources/diagnostic.bicep.j2"
    "resources/dns-zone-group.bicep.j2"
    "resources/existing.bicep.j2"
    "resources/gateway.bicep.j2"
    "resources/identity.bicep.j2"
    "resources/logger.bicep.j2"
    "resources/module.bicep.j2"
    "resources/named-value.bicep.j2"
    "resources/operation.bicep.j2"
    "resources/policy.bicep.j2"
    "resources/pool.bicep.j2"
    "resources/private-endpoint.bicep.j2"
    "resources/product-api.bicep.j2"
    "resources/product-policy.bicep.j2"
    "resources/product.bicep.j2"
    "resources/subscription.bicep.j2"
    "resources/workbook.bicep.j2"
    "resources/workspace.bicep.j2"
];

/// `main.bicep`
pub(super) fn main(template: &Template) -> String {
    quiet(&render("main.bicep.j2", context_of_template(template)))
}

/// A module's file.
pub(super) fn module(module: &Module) -> String {
    let template = &module.template;
    quiet(&match module.about {
        About::Account => render("modules/account.bicep.j2", context_of_template(template)),
        About::Gateway => render("modules/gateway.bicep.j2", context_of_template(template)),
        About::Role => {
            let resources = template.resources.iter().map(|resource| (resource.symbol.clone(), context_of(resource)));
            let resources = Jinja::from_pairs(resources);
            render("modules/role-assignment.bicep.j2", context! { ..context_of_template(template), ..resources })
        }
    })
}

fn context_of_template(template: &Template) -> Jinja {
    let resources = template.resources.iter().filter_map(|resource| {
        let address = resource.address.as_ref()?;
        Some((section(address), layout(resource, address), context_of(resource)))
    });
    let modules = template
        .modules
        .iter()
        .map(|module| (section_of(module.about), "resources/module.bicep.j2".to_owned(), context_of_module(module)));
    let items: Vec<(Section, String, Jinja)> = resources.chain(modules).collect();
    let sections = Section::ALL.into_iter().filter_map(|section| {
        let items = items.iter().filter(|(of, ..)| *of == section);
        let items: Vec<Jinja> = items.map(|(_, layout, item)| context! { layout, ..item.clone() }).collect();
        (!items.is_empty()).then(|| context! { title => text(section.title()), items })
    });
    context! {
        parameters => template.parameters.iter().map(parameter).collect::<Vec<_>>(),
        variables => template.variables.iter().map(|v| {
            context! { name => text(&v.name), value => text(definition("var ", &v.name, &v.value)) }
        }).collect::<Vec<_>>(),
        sections => sections.collect::<Vec<_>>(),
        outputs => template.outputs.iter().map(output).collect::<Vec<_>>(),
    }
}

/// `main.bicepparam`: the parameters that are plain values, to be changed without touching the rest.
pub(super) fn parameters(template: &Template) -> String {
    let plain = template.parameters.iter().filter_map(|parameter| {
        let value = parameter.default.as_ref().filter(|value| value.is_literal())?;
        Some(context! { name => text(&parameter.name), value => text(block(value, 0)) })
    });
    quiet(&render("main.bicepparam.j2", context! { parameters => plain.collect::<Vec<_>>() }))
}

/// Hosts that the linter takes for those of a cloud. What the spec says is meant, so it is not warned of.
const HOSTS: [&str; 12] = [
    "azuredatalakeanalytics.net",
    "azuredatalakestore.net",
    "batch.core.windows.net",
    "core.windows.net",
    "database.windows.net",
    "datalake.azure.net",
    "gallery.azure.com",
    "graph.windows.net",
    "login.microsoftonline.com",
    "management.azure.com",
    "management.core.windows.net",
    "vault.azure.net",
];

/// The same text, the linter told to let pass what it would say of names of hosts.
fn quiet(text: &str) -> String {
    let names_host = |line: &str| {
        let line = line.to_ascii_lowercase();
        HOSTS.iter().any(|host| line.contains(host))
    };
    if !names_host(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if names_host(line) && !line.trim_start().starts_with("//") {
            let indent = &line[..line.len() - line.trim_start().len()];
            out.push_str(&format!("{indent}#disable-next-line no-hardcoded-env-urls\n"));
        }
        out.push_str(line);
    }
    out
}

/// What a Bicep template may print.
fn printed(value: &Jinja) -> Option<&dyn fmt::Display> {
    value.downcast_object_ref::<Bicep>().map(|text| text as &dyn fmt::Display)
}

fn render(name: &str, context: Jinja) -> String {
    static ENGINE: OnceLock<Environment<'static>> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| environment(TEMPLATES, printed));
    let template = engine.get_template(name).expect("our templates are there");
    template.render(context).unwrap_or_else(|error| panic!("our templates fit the graph: {error:#}"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Accounts,
    Gateway,
    Roles,
    Pools,
    Apis,
    Observability,
}

impl Section {
    const ALL: [Section; 6] =
        [Section::Accounts, Section::Gateway, Section::Roles, Section::Pools, Section::Apis, Section::Observability];

    const fn title(self) -> &'static str {
        match self {
            Section::Accounts => "Azure OpenAI accounts and their deployments",
            Section::Gateway => "API Management service",
            Section::Roles => "The gateway may call the accounts",
            Section::Pools => "Backends and pools",
            Section::Apis => "APIs with their operations and policies, and who may call them",
            Section::Observability => "What is recorded, and who is told",
        }
    }
}

fn section(address: &Address) -> Section {
    match address {
        Address::Account(_) | Address::Deployment { .. } | Address::PrivateEndpoint(_) | Address::DnsZoneGroup(_) => {
            Section::Accounts
        }
        Address::ResourceGroup | Address::Identity | Address::Gateway => Section::Gateway,
        Address::Grant(_) => Section::Roles,
        Address::NamedValue(_) | Address::Backend(_) | Address::Pool(_) => Section::Pools,
        Address::Api(_)
        | Address::Operation { .. }
        | Address::Policy(_)
        | Address::Product(_)
        | Address::ProductApi { .. }
        | Address::ProductPolicy(_)
        | Address::Subscription(_) => Section::Apis,
        Address::Workspace
        | Address::AppInsights
        | Address::Logger(_)
        | Address::Diagnostic { .. }
        | Address::DiagnosticSetting
        | Address::Workbook
        | Address::Alert(_) => Section::Observability,
    }
}

const fn section_of(about: About) -> Section {
    match about {
        About::Account => Section::Accounts,
        About::Gateway => Section::Gateway,
        About::Role => Section::Roles,
    }
}

fn layout(resource: &Resource, address: &Address) -> String {
    match resource.presence {
        Presence::Existing => "resources/existing.bicep.j2".into(),
        Presence::Written => format!("resources/{}.bicep.j2", address.kind().replace(' ', "-")),
    }
}

fn text(text: impl Into<String>) -> Jinja {
    Jinja::from_object(Bicep(text.into()))
}

/// What a resource's template sees; `blocks` has the members of its body laid out already.
fn context_of(resource: &Resource) -> Jinja {
    context! {
        symbol => text(&resource.symbol),
        comment => resource.comment.map(text),
        kind => text(literal(&format!("{}@{}", resource.kind, resource.version))),
        version => text(resource.version),
        parent => resource.parent.clone().map(text),
        scope => resource.scope.clone().map(text),
        group => group(&resource.place),
        name => value(&resource.name),
        body => members(&resource.body),
        blocks => Jinja::from_pairs(resource.body.iter().map(|(name, v)| (name.clone(), text(block(v, 1))))),
        depends_on => resource.depends_on.iter().map(text).collect::<Vec<_>>(),
    }
}

fn context_of_module(module: &Module) -> Jinja {
    let param = |(name, v): &(String, Value)| context! { name => text(key(name)), value => text(block(v, 2)) };
    context! {
        symbol => text(&module.symbol),
        path => text(literal(&module.path)),
        name => value(&module.name),
        group => group(&module.place),
        params => module.params.iter().map(param).collect::<Vec<_>>(),
        depends_on => module.depends_on.iter().map(text).collect::<Vec<_>>(),
    }
}

/// The scope of something in another resource group; broken over lines where the formatter would.
fn group(place: &Place) -> Option<Jinja> {
    if place.is_own() {
        return None;
    }
    let name = match &place.resource_group {
        Some(name) => literal(name),
        None => "resourceGroup().name".into(),
    };
    let arguments: Vec<String> = place.subscription.iter().map(|id| literal(id)).chain([name]).collect();
    let line = format!("resourceGroup({})", arguments.join(", "));
    if arguments.len() > 1 && "  scope: ".len() + line.chars().count() > WIDTH {
        return Some(text(format!("resourceGroup(\n    {}\n  )", arguments.join(",\n    "))));
    }
    Some(text(line))
}

fn parameter(parameter: &Parameter) -> Jinja {
    let secure = parameter.kind == "securestring";
    let kind = if secure { "string" } else { parameter.kind };
    let declared = format!("{} {kind}", parameter.name);
    let default = parameter.default.as_ref().map(|default| match default {
        call @ Value::Call(..) => text(definition("param ", &declared, call)),
        other => text(block(other, 0)),
    });
    context! {
        name => text(&parameter.name),
        kind => text(kind),
        secure,
        description => text(literal(&parameter.description)),
        allowed => parameter.allowed.iter().map(value).collect::<Vec<_>>(),
        min_length => parameter.min_length,
        max_length => parameter.max_length,
        min_value => parameter.min_value,
        default,
    }
}

fn output(output: &Output) -> Jinja {
    context! {
        name => text(output.name),
        kind => text(output.kind),
        description => text(literal(output.description)),
        value => text(block(&output.value, 0)),
    }
}

/// Structure stays structure, so that a template can lay it out; everything else is a text.
fn value(value: &Value) -> Jinja {
    match value {
        Value::Array(items) => items.iter().map(self::value).collect(),
        Value::Object(body) => members(body),
        leaf => text(inline(leaf)),
    }
}

fn members(body: &Body) -> Jinja {
    Jinja::from_pairs(body.iter().map(|(name, v)| (name.clone(), value(v))))
}

/// What stands behind `var name = `: on one line, or as a call with an argument a line where that would be too long.
fn definition(keyword: &str, name: &str, value: &Value) -> String {
    let line = inline(value);
    match value {
        Value::Call(function, arguments) if keyword.len() + name.len() + " = ".len() + line.chars().count() > WIDTH => {
            let arguments: Vec<String> = arguments.iter().map(|argument| format!("  {}", inline(argument))).collect();
            format!("{function}(\n{}\n)", arguments.join(",\n"))
        }
        _ => line,
    }
}

/// A value over as many lines as it has items.
fn block(value: &Value, depth: usize) -> String {
    let (inner, outer) = ("  ".repeat(depth + 1), "  ".repeat(depth));
    match value {
        Value::Array(items) if !items.is_empty() => {
            let lines: String = items.iter().map(|item| format!("{inner}{}\n", block(item, depth + 1))).collect();
            format!("[\n{lines}{outer}]")
        }
        Value::Object(body) if !body.is_empty() => {
            let line = |(name, v): &(String, Value)| format!("{inner}{}: {}\n", key(name), block(v, depth + 1));
            let lines: String = body.iter().map(line).collect();
            format!("{{\n{lines}{outer}}}")
        }
        Value::Keyed(name, v) => format!("{{\n{inner}'${{{}}}': {}\n{outer}}}", inline(name), block(v, depth + 1)),
        leaf => inline(leaf),
    }
}

/// A value on one line.
fn inline(value: &Value) -> String {
    let list = |items: &[Value]| items.iter().map(inline).collect::<Vec<_>>().join(", ");
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => literal(text),
        Value::Array(items) => format!("[{}]", list(items)),
        Value::Object(body) if body.is_empty() => "{}".into(),
        Value::Object(body) => {
            let members: Vec<String> = body.iter().map(|(name, v)| format!("{}: {}", key(name), inline(v))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        Value::Param(name) | Value::Var(name) => name.clone(),
        Value::Prop(symbol, path) => format!("{symbol}.{}", path.join(".")),
        Value::Output(symbol, name) => format!("{symbol}.outputs.{name}"),
        Value::Keyed(name, v) => format!("{{ '${{{}}}': {} }}", inline(name), inline(v)),
        Value::Member(base, name) if is_identifier(name) => format!("{}.{name}", inline(base)),
        Value::Member(base, name) => format!("{}[{}]", inline(base), literal(name)),
        Value::Call(name, arguments) => format!("{name}({})", list(arguments)),
        Value::Interpolated(parts) => {
            let part = |part: &Value| match part {
                Value::Text(text) => escape(text),
                expression => format!("${{{}}}", inline(expression)),
            };
            format!("'{}'", parts.iter().map(part).collect::<String>())
        }
        Value::File(path) => format!("loadTextContent({})", literal(path)),
    }
}

/// A name as the key of an object.
fn key(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { literal(name) }
}

/// A text as a Bicep string.
fn literal(text: &str) -> String {
    format!("'{}'", escape(text))
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' if chars.peek() == Some(&'{') => out.push_str("\\$"),
            // What an editor does not show, or takes for the end of a line, stands as its number.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

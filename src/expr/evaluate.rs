//! From tree to value, in a place.
//!
//! [`Context`] says where: which parameters and variables there are, which subscription and group, what the resources
//! look like. `if`, `coalesce`, `and` and `or` evaluate no more than they need.
//!
//! No expression can hang: the number of calls, how deep they stand in each other, and the size of every value are
//! limited ([`Effort`]), also across the functions that a template defines.

mod lambda;

use super::error::{EvalError, Fault, type_name};
use super::functions::{Args, call, is_function, resource_path, utc_now};
use super::value::{get, limit, same, size};
use super::{Expr, TemplateString, parse, template_string};
use serde_json::{Value, json};

/// How many calls one evaluation may make. Real expressions make some hundred, real templates some ten thousand.
const MAX_STEPS: u32 = 1_000_000;

/// How deep expressions may stand in each other, functions of a template's own followed.
const MAX_NESTING: u32 = 2 * super::MAX_DEPTH as u32;

/// How much has been done so far, by one expression or by many that share it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effort {
    steps: u32,
    nesting: u32,
}

impl Effort {
    /// As many steps more: a call and a turn of a loop are one each, what costs more counts for more.
    pub fn spend(&mut self, steps: u32) -> Result<(), EvalError> {
        self.steps = self.steps.saturating_add(steps);
        if self.steps > MAX_STEPS {
            let message = format!("The language expression evaluation limit exceeded. Limit: '{MAX_STEPS}' calls.");
            return Err(EvalError::new(Fault::Limit, message));
        }
        Ok(())
    }

    /// As many levels deeper, for as long as the value of a whole piece takes.
    pub fn deeper(&mut self, levels: u32) -> Result<(), EvalError> {
        self.nesting = self.nesting.saturating_add(levels);
        if self.nesting > MAX_NESTING {
            let message = format!("The language expression is nested deeper than {MAX_NESTING} levels.");
            return Err(EvalError::new(Fault::Limit, message));
        }
        Ok(())
    }
}

/// Where an expression stands. What a place does not have is refused as misplaced.
pub trait Context {
    /// The value of a parameter; names ignore case.
    fn parameter(&mut self, name: &str) -> Result<Value, EvalError>;

    /// The value of a variable; names ignore case.
    fn variable(&mut self, name: &str) -> Result<Value, EvalError>;

    /// `subscription()`
    fn subscription(&mut self) -> Result<Value, EvalError> {
        Err(EvalError::misplaced("subscription"))
    }

    /// `resourceGroup()`
    fn resource_group(&mut self) -> Result<Value, EvalError> {
        Err(EvalError::misplaced("resourceGroup"))
    }

    /// `deployment()`
    fn deployment(&mut self) -> Result<Value, EvalError> {
        Err(EvalError::misplaced("deployment"))
    }

    /// `tenant()`
    fn tenant(&mut self) -> Result<Value, EvalError> {
        Err(EvalError::misplaced("tenant"))
    }

    /// `managementGroup()`
    fn management_group(&mut self) -> Result<Value, EvalError> {
        Err(EvalError::misplaced("managementGroup"))
    }

    /// `deployer()`
    fn deployer(&mut self) -> Result<Value, EvalError> {
        Err(EvalError::unsupported("deployer"))
    }

    /// `providers(namespace, [type])`
    fn providers(&mut self, _namespace: &str, _type: Option<&str>) -> Result<Value, EvalError> {
        Err(EvalError::unsupported("providers"))
    }

    /// The moment that `utcNow()` tells: seconds since 1970 UTC.
    fn now(&mut self) -> Result<i64, EvalError> {
        Err(EvalError::misplaced("utcNow"))
    }

    /// `newGuid()`
    fn new_guid(&mut self) -> Result<String, EvalError> {
        Err(EvalError::misplaced("newGuid"))
    }

    /// A function of the template's own, by namespace and name; `None` where there is no such function. What it does adds
    /// to the effort.
    fn function(
        &mut self,
        _name: &str,
        _arguments: Vec<Value>,
        _effort: &mut Effort,
    ) -> Option<Result<Value, EvalError>> {
        None
    }

    /// The index of the loop `name`, or of the resource's own.
    fn copy_index(&mut self, _name: Option<&str>) -> Result<i64, EvalError> {
        Err(EvalError::new(
            Fault::Misplaced,
            "The template function 'copyIndex' is not expected at this location. The function can only be used in a \
             resource with copy specified. Please see https://aka.ms/arm-copy for usage details.",
        ))
    }

    /// `reference(target, api_version, view)`; the target is an id, or the name of a resource of the template.
    fn reference(&mut self, _target: &str, _api_version: Option<&str>, _view: View) -> Result<Value, EvalError> {
        Err(EvalError::misplaced("reference"))
    }

    /// `references(symbol, view)`: every resource of a loop.
    fn references(&mut self, _symbol: &str, _view: View) -> Result<Value, EvalError> {
        Err(EvalError::misplaced("references"))
    }

    /// `resourceInfo(symbol)`: what is known of a resource before it is there.
    fn resource_info(&mut self, _symbol: &str) -> Result<Value, EvalError> {
        Err(EvalError::misplaced("resourceInfo"))
    }

    /// `listKeys(target, api_version)` and the like.
    fn list(&mut self, function: &str, _target: &str, _api_version: &str) -> Result<Value, EvalError> {
        Err(EvalError::misplaced(function))
    }
}

/// How much of a resource `reference` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Its `properties`.
    Properties,
    /// All of it.
    Full,
}

/// The value of an expression.
pub fn evaluate(expr: &Expr, context: &mut dyn Context) -> Result<Value, EvalError> {
    evaluate_within(expr, context, &mut Effort::default())
}

/// The value of an expression that is one of many, which share their effort.
pub fn evaluate_within(expr: &Expr, context: &mut dyn Context, effort: &mut Effort) -> Result<Value, EvalError> {
    let nesting = effort.nesting;
    let value = Evaluator { context, lambdas: Vec::new(), effort }.value(expr);
    effort.nesting = nesting;
    value
}

/// The value of a string of a template: its text, or the value of its expression.
pub fn text_value(text: &str, context: &mut dyn Context, effort: &mut Effort) -> Result<Value, EvalError> {
    match template_string(text) {
        TemplateString::Literal(text) => Ok(text.into_owned().into()),
        TemplateString::Expression(text) => {
            // reading a long text is work too
            effort.spend((text.len() / 64) as u32)?;
            evaluate_within(&parse(text)?, context, effort)
        }
    }
}

/// The functions that need a place or are lazy: name, least and greatest number of arguments.
const SPECIAL: &[(&str, usize, usize)] = &[
    ("if", 3, 3),
    ("coalesce", 1, usize::MAX),
    ("and", 2, usize::MAX),
    ("or", 2, usize::MAX),
    ("parameters", 1, 1),
    ("variables", 1, 1),
    ("lambdaVariables", 1, 1),
    ("map", 2, 2),
    ("filter", 2, 2),
    ("sort", 2, 2),
    ("reduce", 3, 3),
    ("toObject", 2, 3),
    ("groupBy", 2, 3),
    ("mapValues", 2, 2),
    ("subscription", 0, 0),
    ("resourceGroup", 0, 0),
    ("deployment", 0, 0),
    ("tenant", 0, 0),
    ("environment", 0, 0),
    ("resourceId", 2, usize::MAX),
    ("subscriptionResourceId", 2, usize::MAX),
    ("copyIndex", 0, 2),
    ("reference", 1, 3),
    ("references", 1, 3),
    ("resourceInfo", 1, 1),
    ("managementGroup", 0, 0),
    ("managementGroupResourceId", 2, usize::MAX),
    ("deployer", 0, 0),
    ("providers", 1, 2),
    ("utcNow", 0, 1),
    ("newGuid", 0, 0),
];

/// Refuses the name of a function that does not exist, or is not evaluated here.
pub fn known(function: &str) -> Result<(), EvalError> {
    let special = SPECIAL.iter().any(|(special, ..)| special.eq_ignore_ascii_case(function));
    let lambda = function.eq_ignore_ascii_case("lambda");
    match special || lambda || is_list(function) || is_function(function) {
        true => Ok(()),
        false => Err(EvalError::unknown(function)),
    }
}

/// `listKeys`, `listSecrets` and the like: every resource type has its own. No other function begins so.
fn is_list(function: &str) -> bool {
    function.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("list"))
}

struct Evaluator<'a> {
    context: &'a mut dyn Context,
    /// The variables of the lambdas around, the innermost last.
    lambdas: Vec<(String, Value)>,
    effort: &'a mut Effort,
}

impl Evaluator<'_> {
    fn value(&mut self, expr: &Expr) -> Result<Value, EvalError> {
        self.effort.deeper(1)?;
        let value = self.value_here(expr);
        self.effort.nesting -= 1;
        value
    }

    fn value_here(&mut self, expr: &Expr) -> Result<Value, EvalError> {
        match expr {
            Expr::Str(text) => Ok(text.as_str().into()),
            Expr::Int(number) => Ok((*number).into()),
            Expr::Prop(base, name) => property(&self.value(base)?, name),
            Expr::Index(base, index) => {
                let base = self.value(base)?;
                match self.value(index)? {
                    Value::String(name) => property(&base, &name),
                    index => item(&base, &index),
                }
            }
            Expr::Call(name, args) => self.call(name, args),
        }
    }

    fn call(&mut self, name: &str, args: &[Expr]) -> Result<Value, EvalError> {
        self.effort.spend(1)?;
        if let Some(&(function, least, most)) = SPECIAL.iter().find(|(special, ..)| special.eq_ignore_ascii_case(name))
        {
            let given = Args { function, values: &[] };
            return match args.len() {
                count if count < least || count > most => Err(given.count_error(least, most, count)),
                _ => self.special(function, args),
            };
        }
        if name.eq_ignore_ascii_case("lambda") {
            return Err(EvalError::misplaced("lambda"));
        }
        if is_list(name) {
            return self.list(name, args);
        }
        if name.contains('.') {
            let values = self.values(args)?;
            let nesting = self.effort.nesting;
            let value = self.context.function(name, values, self.effort);
            self.effort.nesting = nesting;
            return value.unwrap_or_else(|| Err(EvalError::unknown(name)));
        }
        let values = self.values(args)?;
        call(name, &values)
    }

    fn values(&mut self, args: &[Expr]) -> Result<Vec<Value>, EvalError> {
        let (mut values, mut total) = (Vec::with_capacity(args.len()), 0);
        for arg in args {
            let value = self.value(arg)?;
            total += size(&value);
            limit(total)?;
            values.push(value);
        }
        Ok(values)
    }

    fn special(&mut self, function: &'static str, args: &[Expr]) -> Result<Value, EvalError> {
        match function {
            "if" => match self.truth(function, &args[0])? {
                true => self.value(&args[1]),
                false => self.value(&args[2]),
            },
            "and" | "or" => {
                let decisive = function == "or";
                for arg in args {
                    if self.truth(function, arg)? == decisive {
                        return Ok(decisive.into());
                    }
                }
                Ok((!decisive).into())
            }
            "coalesce" => {
                for arg in args {
                    match self.value(arg)? {
                        Value::Null => {}
                        value => return Ok(value),
                    }
                }
                Ok(Value::Null)
            }
            "parameters" => {
                let name = self.text(function, &args[0])?;
                self.context.parameter(&name)
            }
            "variables" => {
                let name = self.text(function, &args[0])?;
                self.context.variable(&name)
            }
            "lambdaVariables" => {
                let name = self.text(function, &args[0])?;
                let found = self.lambdas.iter().rev().find(|(lambda, _)| same(lambda, &name));
                found.map(|(_, value)| value.clone()).ok_or_else(|| {
                    EvalError::new(Fault::NotFound, format!("The template lambda variable '{name}' is not found."))
                })
            }
            "subscription" => self.context.subscription(),
            "resourceGroup" => self.context.resource_group(),
            "deployment" => self.context.deployment(),
            "tenant" => self.context.tenant(),
            "environment" => Ok(environment()),
            "managementGroup" => self.context.management_group(),
            "resourceId" | "subscriptionResourceId" | "managementGroupResourceId" => self.resource_id(function, args),
            "copyIndex" => self.copy_index(args),
            "reference" | "references" => self.reference(function, args),
            "resourceInfo" => {
                let symbol = self.text(function, &args[0])?;
                self.context.resource_info(&symbol)
            }
            "deployer" => self.context.deployer(),
            "providers" => {
                let values = self.values(args)?;
                let args = Args { function, values: &values };
                let kind = args.get(1).map(|_| args.text(1)).transpose()?;
                self.context.providers(args.text(0)?, kind)
            }
            "newGuid" => self.context.new_guid().map(Value::from),
            "utcNow" => {
                let values = self.values(args)?;
                let args = Args { function, values: &values };
                let now = self.context.now()?;
                utc_now(&args, now)
            }
            _ => self.with_lambda(function, args),
        }
    }

    fn truth(&mut self, function: &'static str, arg: &Expr) -> Result<bool, EvalError> {
        let value = self.value(arg)?;
        Args { function, values: &[value] }.bool(0)
    }

    fn text(&mut self, function: &'static str, arg: &Expr) -> Result<String, EvalError> {
        let value = self.value(arg)?;
        Args { function, values: &[value] }.text(0).map(str::to_owned)
    }

    /// `resourceId([subscription], [group], type, names...)`; outside of a group the id is the subscription's.
    fn resource_id(&mut self, function: &'static str, args: &[Expr]) -> Result<Value, EvalError> {
        let values = self.values(args)?;
        let args = Args { function, values: &values };
        let texts = args.texts()?;
        let type_at = texts.iter().position(|text| text.contains('/')).unwrap_or(0);
        let (place, type_and_names) = texts.split_at(type_at);
        let path = resource_path(function, type_and_names)?;
        let base = match (function, place) {
            ("resourceId", []) => match self.context.resource_group() {
                Ok(group) => group["id"].as_str().unwrap_or_default().to_owned(),
                Err(error) if error.fault == Fault::Misplaced => self.subscription_id()?,
                Err(error) => return Err(error),
            },
            ("resourceId", [group]) => format!("{}/resourceGroups/{group}", self.subscription_id()?),
            ("resourceId", [subscription, group]) => format!("/subscriptions/{subscription}/resourceGroups/{group}"),
            ("subscriptionResourceId", []) => self.subscription_id()?,
            ("subscriptionResourceId", [subscription]) => format!("/subscriptions/{subscription}"),
            ("managementGroupResourceId", []) => {
                self.context.management_group()?["id"].as_str().unwrap_or_default().to_owned()
            }
            ("managementGroupResourceId", [group]) => {
                format!("/providers/Microsoft.Management/managementGroups/{group}")
            }
            _ => return Err(args.wrong_value("expects a fully qualified resource type as one of its first parameters")),
        };
        // a group is its subscription's own, under no provider; recorded deployments show that id
        let path = match path.strip_prefix("/providers/Microsoft.Resources") {
            Some(group) if !base.contains("/resourceGroups/") && group.starts_with("/resourceGroups/") => group,
            _ => &path,
        };
        Ok(format!("{base}{path}").into())
    }

    fn subscription_id(&mut self) -> Result<String, EvalError> {
        Ok(self.context.subscription()?["id"].as_str().unwrap_or_default().to_owned())
    }

    /// `copyIndex([loop], [offset])`
    fn copy_index(&mut self, args: &[Expr]) -> Result<Value, EvalError> {
        let values = self.values(args)?;
        let args = Args { function: "copyIndex", values: &values };
        let (name, offset) = match args.values {
            [] => (None, 0),
            [Value::Number(_)] => (None, args.int(0)?),
            [_] => (Some(args.text(0)?), 0),
            _ => (Some(args.text(0)?), args.int(1)?),
        };
        Ok(self.context.copy_index(name)?.saturating_add(offset).into())
    }

    /// `reference(target, [api_version], ['Full'])`; `references` likewise, where the version may be left out.
    fn reference(&mut self, function: &'static str, args: &[Expr]) -> Result<Value, EvalError> {
        let values = self.values(args)?;
        let args = Args { function, values: &values };
        if function == "references" {
            let full = args.texts()?.iter().skip(1).any(|word| word.eq_ignore_ascii_case("full"));
            return self.context.references(args.text(0)?, if full { View::Full } else { View::Properties });
        }
        let api_version = args.get(1).map(|_| args.text(1)).transpose()?;
        let view = match args.get(2).map(|_| args.text(2)).transpose()? {
            None => View::Properties,
            Some(word) if word.eq_ignore_ascii_case("full") => View::Full,
            Some(word) => {
                return Err(args.wrong_value(&format!("expects its third parameter to be 'Full', not '{word}'")));
            }
        };
        self.context.reference(args.text(0)?, api_version, view)
    }

    fn list(&mut self, name: &str, args: &[Expr]) -> Result<Value, EvalError> {
        let values = self.values(args)?;
        match values.as_slice() {
            [Value::String(target), Value::String(api_version), ..] if values.len() <= 3 => {
                self.context.list(name, target, api_version)
            }
            _ => {
                let message = format!(
                    "The template language function '{name}' expects a resource id, an api-version and at most one more \
                     parameter."
                );
                Err(EvalError::new(Fault::ArgumentType, message))
            }
        }
    }
}

fn property(base: &Value, name: &str) -> Result<Value, EvalError> {
    let Value::Object(object) = base else {
        let message = format!(
            "The language expression property '{name}' can't be evaluated, the value before it is of type '{}'.",
            type_name(base)
        );
        return Err(EvalError::new(Fault::ArgumentType, message));
    };
    get(object, name).cloned().ok_or_else(|| {
        let names: Vec<&str> = object.keys().map(String::as_str).collect();
        let message = format!(
            "The language expression property '{name}' doesn't exist, available properties are '{}'.",
            names.join(", ")
        );
        EvalError::new(Fault::NotFound, message)
    })
}

fn item(base: &Value, index: &Value) -> Result<Value, EvalError> {
    match (base, index.as_i64()) {
        (Value::Array(items), Some(at)) => {
            usize::try_from(at).ok().and_then(|at| items.get(at)).cloned().ok_or_else(|| {
                let message = format!("The language expression property array index '{at}' is out of bounds.");
                EvalError::new(Fault::Index, message)
            })
        }
        _ => {
            let message = format!(
                "The language expression property of type '{}' can't be read at an index of type '{}'.",
                type_name(base),
                type_name(index)
            );
            Err(EvalError::new(Fault::ArgumentType, message))
        }
    }
}

/// `environment()` of the public cloud, which the local Azure is.
fn environment() -> Value {
    json!({
        "name": "AzureCloud",
        "gallery": "https://gallery.azure.com/",
        "graph": "https://graph.windows.net/",
        "portal": "https://portal.azure.com",
        "graphAudience": "https://graph.windows.net/",
        "activeDirectoryDataLake": "https://datalake.azure.net/",
        "batch": "https://batch.core.windows.net/",
        "media": "https://rest.media.azure.net",
        "sqlManagement": "https://management.core.windows.net:8443/",
        "vmImageAliasDoc":
            "https://raw.githubusercontent.com/Azure/azure-rest-api-specs/master/arm-compute/quickstart-templates/aliases.json",
        "resourceManager": "https://management.azure.com/",
        "authentication": {
            "loginEndpoint": "https://login.microsoftonline.com/",
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD"
        },
        "suffixes": {
            "acrLoginServer": ".azurecr.io",
            "azureDatalakeAnalyticsCatalogAndJob": "azuredatalakeanalytics.net",
            "azureDatalakeStoreFileSystem": "azuredatalakestore.net",
            "azureFrontDoorEndpointSuffix": "azurefd.net",
            "keyvaultDns": ".vault.azure.net",
            "sqlServerHostname": ".database.windows.net",
            "storage": "core.windows.net"
        }
    })
}

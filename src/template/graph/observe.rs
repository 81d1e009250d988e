//! What is recorded: workspace, Application Insights, loggers, diagnostics, workbook, alerts.
//!
//! No secret is in the template: the connection string of Application Insights is read while it is deployed, and is in no
//! output. Its holder may write telemetry, nothing else. API Management can also sign in there by its identity
//! (`identityClientId`, learn.microsoft.com, api-management-howto-app-insights, 2026-08), which takes a role on
//! Application Insights; a topology has no grant of that kind, and without it records would be lost in silence.
//!
//! Queries, workbook and alerts ask the service, not the workspace, so that a workspace may be shared. A logger is marked
//! like a backend; a diagnostic setting can hold no marker, so its name holds the hash of the stack.
//!
//! Deliberately absent: the prompts and completions themselves (`largeLanguageModel.requests`), which are never logged.

use super::super::value::body;
use super::super::{Output, Parameter, Resource, Value, Variable, queries};
use super::inputs::{marker, name, parameter};
use super::{API_MANAGEMENT, Build, GATEWAY, resource, version};
use crate::topology::address::{Alert, Logger};
use crate::topology::*;

const WORKSPACE: &str = "Microsoft.OperationalInsights/workspaces";
const APP_INSIGHTS: &str = "Microsoft.Insights/components";
const APP_INSIGHTS_VERSION: &str = "2020-02-02";
const LOGGER: &str = "Microsoft.ApiManagement/service/loggers";
const DIAGNOSTIC: &str = "Microsoft.ApiManagement/service/apis/diagnostics";
const SETTING: &str = "Microsoft.Insights/diagnosticSettings";
const WORKBOOK: &str = "Microsoft.Insights/workbooks";
const QUERY_RULE: &str = "Microsoft.Insights/scheduledQueryRules";

/// The file of the workbook.
const WORKBOOK_FILE: &str = "workbook.json";

/// The variable with the id of an Application Insights that is there.
const APP_INSIGHTS_ID: &str = "appInsightsId";

/// The parameter of how long records are kept.
const RETENTION: &str = "logRetentionDays";

/// Days for which records are kept without a price of their own, and the fewest of the tier PerGB2018.
const RETENTION_DAYS: u32 = 30;

/// What whoever deploys may say of a workspace that the stack makes.
pub(super) fn parameters(topology: &Topology) -> Option<Parameter> {
    let observed = topology.observability.as_ref()?;
    matches!(observed.workspace, Some(Sink::Managed(_))).then(|| Parameter {
        default: Some(RETENTION_DAYS.into()),
        min_value: Some(RETENTION_DAYS),
        ..parameter(RETENTION, "int", "Days for which the workspace keeps what is recorded.")
    })
}

impl Build<'_> {
    /// Workspace, Application Insights, loggers, diagnostics, workbook, alerts.
    pub(super) fn observability(&mut self) {
        let Some(observed) = &self.topology.observability else { return };
        let workspace = observed.workspace.as_ref().map(|sink| self.workspace(sink));
        let insights = observed.app_insights.as_ref().map(|sink| self.app_insights(sink, workspace.as_ref()));
        for logger in observed.loggers() {
            let symbol = self.logger(logger, insights.as_ref());
            for (key, api) in self.apis.clone() {
                self.diagnostic(key, &api, logger, &symbol, observed);
            }
        }
        if let Some(workspace) = workspace {
            self.setting(workspace, observed);
        }
        if observed.workbook {
            self.workbook(observed);
        }
        for alert in observed.alerts.iter().flat_map(|_| Alert::ALL) {
            self.alert(alert, observed.alerts.as_ref());
        }
    }

    /// Makes the workspace or finds it; gives its id.
    fn workspace(&mut self, sink: &Sink) -> Value {
        let named = match sink {
            Sink::Existing(id) => return id.as_str().into(),
            Sink::Managed(named) => name(named),
        };
        let symbol = self.symbols.take("workspace", &[]);
        self.add(Resource {
            name: named,
            body: body([
                ("location", Value::param("location")),
                ("tags", Value::var("stackTags")),
                (
                    "properties",
                    Value::object([
                        ("sku", Value::object([("name", "PerGB2018".into())])),
                        ("retentionInDays", Value::param(RETENTION)),
                    ]),
                ),
            ]),
            ..resource(Address::Workspace, &symbol, WORKSPACE, "2023-09-01")
        });
        Value::prop(&symbol, &["id"])
    }

    /// Makes Application Insights or finds it.
    fn app_insights(&mut self, sink: &Sink, workspace: Option<&Value>) -> Insights {
        let named = match sink {
            Sink::Existing(id) => {
                let (name, value) = (APP_INSIGHTS_ID.to_owned(), id.as_str().into());
                self.template.variables.push(Variable { name, value });
                let read = Value::Call("reference", vec![Value::var(APP_INSIGHTS_ID), APP_INSIGHTS_VERSION.into()]);
                return Insights { id: Value::var(APP_INSIGHTS_ID), connection: read.member("ConnectionString") };
            }
            Sink::Managed(named) => name(named),
        };
        let symbol = self.symbols.take("appInsights", &[]);
        let mut properties = body([("Application_Type", "web".into())]);
        properties.extend(workspace.map(|id| ("WorkspaceResourceId".to_owned(), id.clone())));
        self.add(Resource {
            name: named,
            body: body([
                ("location", Value::param("location")),
                ("tags", Value::var("stackTags")),
                ("kind", "web".into()),
                ("properties", Value::Object(properties)),
            ]),
            ..resource(Address::AppInsights, &symbol, APP_INSIGHTS, APP_INSIGHTS_VERSION)
        });
        let id = Value::prop(&symbol, &["id"]);
        let connection = match self.topology.gateway.as_ref().is_some_and(|gateway| gateway.place.is_own()) {
            true => Value::prop(&symbol, &["properties", "ConnectionString"]),
            // by id, so that the module which then has the logger gets no connection string as a parameter
            false => Value::Call("reference", vec![id.clone(), APP_INSIGHTS_VERSION.into()]).member("ConnectionString"),
        };
        Insights { id, connection }
    }

    /// Gives the logger's symbol.
    fn logger(&mut self, logger: Logger, insights: Option<&Insights>) -> String {
        let kind = match logger {
            Logger::AppInsights => "applicationInsights",
            Logger::AzureMonitor => "azureMonitor",
        };
        let mut properties = body([("loggerType", kind.into()), ("description", marker())]);
        if let (Logger::AppInsights, Some(insights)) = (logger, insights) {
            let credentials = Value::object([("connectionString", insights.connection.clone())]);
            properties.push(("credentials".into(), credentials));
            properties.push(("resourceId".into(), insights.id.clone()));
        }
        let symbol = self.symbols.take("logger", &[kind]);
        self.add(Resource {
            parent: Some(GATEWAY.into()),
            name: logger.name().into(),
            body: body([("properties", Value::Object(properties))]),
            ..resource(Address::Logger(logger), &symbol, LOGGER, API_MANAGEMENT)
        });
        symbol
    }

    fn diagnostic(&mut self, key: &str, api: &str, logger: Logger, to: &str, observed: &Observability) {
        let message = |headers: Value| {
            Value::object([("headers", headers), ("body", Value::object([("bytes", observed.bodies.into())]))])
        };
        let headers: Vec<Value> = observed.headers.iter().map(|header| header.as_str().into()).collect();
        let messages =
            || Value::object([("request", message(Vec::new().into())), ("response", message(headers.clone().into()))]);
        let mut properties = body([
            ("loggerId", Value::prop(to, &["id"])),
            ("alwaysLog", "allErrors".into()),
            ("verbosity", "information".into()),
            ("sampling", Value::object([("samplingType", "fixed".into()), ("percentage", 100.into())])),
        ]);
        match logger {
            // without `metrics` no policy's token metrics arrive
            Logger::AppInsights => {
                properties.extend(body([("httpCorrelationProtocol", "W3C".into()), ("metrics", true.into())]));
            }
            Logger::AzureMonitor if observed.llm_logs => {
                properties.extend(body([("largeLanguageModel", Value::object([("logs", "enabled".into())]))]));
            }
            Logger::AzureMonitor => {}
        }
        properties.extend(body([("frontend", messages()), ("backend", messages())]));
        let properties = Value::Object(properties);
        let symbol = self.symbols.take("diagnostic", &[key, logger.name()]);
        self.add(Resource {
            version: version(DIAGNOSTIC, API_MANAGEMENT, &properties),
            parent: Some(api.to_owned()),
            name: logger.name().into(),
            body: body([("properties", properties)]),
            ..resource(Address::Diagnostic { api: key.to_owned(), logger }, &symbol, DIAGNOSTIC, API_MANAGEMENT)
        });
    }

    fn setting(&mut self, workspace: Value, observed: &Observability) {
        let category = |category: &str| Value::object([("category", category.into()), ("enabled", true.into())]);
        let mut logs = vec![category("GatewayLogs")];
        logs.extend(observed.llm_logs.then(|| category("GatewayLlmLogs")));
        let symbol = self.symbols.take("diagnosticSetting", &[]);
        self.add(Resource {
            comment: Some("Dedicated: each kind of record has a table of its own."),
            name: Value::concat([defaults::SETTING.into(), Value::var("unique")]),
            scope: Some(GATEWAY.into()),
            body: body([(
                "properties",
                Value::object([
                    ("workspaceId", workspace),
                    ("logAnalyticsDestinationType", "Dedicated".into()),
                    ("logs", logs.into()),
                    ("metrics", vec![category("AllMetrics")].into()),
                ]),
            )]),
            ..resource(Address::DiagnosticSetting, &symbol, SETTING, "2021-05-01-preview")
        });
    }

    fn workbook(&mut self, observed: &Observability) {
        self.template.texts.insert(WORKBOOK_FILE.into(), queries::workbook(self.topology, observed));
        let symbol = self.symbols.take("workbook", &[]);
        let group = Value::Call("resourceGroup", vec![]).member("id");
        let title = format!("Azure OpenAI: {}", self.topology.stack.name);
        self.add(Resource {
            comment: Some("Its name must be a GUID."),
            name: Value::Call("guid", vec![group, Value::var("stack"), "workbook".into()]),
            body: body([
                ("location", Value::param("location")),
                ("tags", Value::var("stackTags")),
                ("kind", "shared".into()),
                (
                    "properties",
                    Value::object([
                        ("displayName", title.as_str().into()),
                        ("category", "workbook".into()),
                        ("sourceId", Value::prop(GATEWAY, &["id"])),
                        ("serializedData", Value::File(WORKBOOK_FILE.into())),
                    ]),
                ),
            ]),
            ..resource(Address::Workbook, &symbol, WORKBOOK, "2023-06-01")
        });
    }

    fn alert(&mut self, alert: Alert, written: Option<&Alerts>) {
        let Some(written) = written else { return };
        let (threshold, says) = match alert {
            Alert::Spillover => (written.spillover, "a lower priority serves many calls"),
            Alert::Throttled => (written.throttled, "many calls end in 429"),
        };
        let path = format!("alerts/{}.kql", alert.word());
        self.template.texts.insert(path.clone(), queries::alert(self.topology, alert));
        let condition = Value::object([
            ("query", Value::File(path)),
            ("timeAggregation", "Maximum".into()),
            ("metricMeasureColumn", "Share".into()),
            ("operator", "GreaterThan".into()),
            ("threshold", u32::from(threshold).into()),
            (
                "failingPeriods",
                Value::object([("numberOfEvaluationPeriods", 1.into()), ("minFailingPeriodsToAlert", 1.into())]),
            ),
        ]);
        let title = format!("{}: {says}", self.topology.stack.name);
        let about = format!("More than {threshold} percent of the calls of five minutes.");
        let mut properties = body([
            ("displayName", title.as_str().into()),
            ("description", about.as_str().into()),
            ("severity", 2.into()),
            ("enabled", true.into()),
            ("scopes", vec![Value::prop(GATEWAY, &["id"])].into()),
            ("evaluationFrequency", "PT5M".into()),
            ("windowSize", "PT5M".into()),
            ("criteria", Value::object([("allOf", vec![condition].into())])),
            ("autoMitigate", true.into()),
            ("skipQueryValidation", true.into()),
        ]);
        if let Some(group) = &written.action_group {
            properties.push(("actions".into(), Value::object([("actionGroups", vec![group.as_str().into()].into())])));
        }
        let symbol = self.symbols.take("alert", &[alert.word()]);
        self.add(Resource {
            comment: Some("Not validated: the tables come with the first record."),
            name: Value::concat([format!("{}-", alert.word()).as_str().into(), Value::var("unique")]),
            body: body([
                ("location", Value::param("location")),
                ("tags", Value::var("stackTags")),
                ("kind", "LogAlert".into()),
                ("properties", Value::Object(properties)),
            ]),
            ..resource(Address::Alert(alert), &symbol, QUERY_RULE, "2023-12-01")
        });
    }

    /// What the deployment answers of it.
    pub(super) fn observed_outputs(&mut self) {
        let answers = [
            (Address::Workspace, "workspaceId", "Id of the Log Analytics workspace.", "id"),
            (Address::AppInsights, "appInsightsName", "Name of Application Insights.", "name"),
        ];
        for (address, name, description, property) in answers {
            let found = self.template.resources.iter().find(|resource| resource.address.as_ref() == Some(&address));
            let Some(value) = found.map(|resource| Value::prop(&resource.symbol, &[property])) else { continue };
            self.template.outputs.push(Output { name, kind: "string", description, value });
        }
    }
}

/// Application Insights as a logger needs it.
struct Insights {
    id: Value,
    connection: Value,
}

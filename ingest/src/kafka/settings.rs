//! Connection settings: where Kafka is, which librdkafka properties pass through, and where secrets come from.
//!
//! It must never hold a secret before `resolve`, never print one after it, and never let a property through on which
//! correctness rests (commits, offsets, isolation, idempotence): those belong to the product.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rdkafka::ClientConfig;
use serde::Deserialize;

use super::KafkaError;

/// Where Kafka is and how to speak to it. Holds names of secrets, never their values.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaSettings {
    /// `host:port`, comma separated.
    pub bootstrap: String,
    /// How the broker's logs and quotas name this client.
    #[serde(default = "default_client_id")]
    pub client_id: String,
    /// Any librdkafka property (TLS, SASL, sizes, timeouts) that is neither a secret nor the product's own.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// librdkafka property → where its secret value is read from.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretFrom>,
}

/// The place of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretFrom {
    /// The content of a file; one line break at its end is not part of it.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

impl std::fmt::Display for SecretFrom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Env(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// Settings with their secrets read, ready to open clients. `Debug` shows no value of a secret.
#[derive(Clone)]
pub struct Connection {
    bootstrap: String,
    client_id: String,
    properties: BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
}

const SECRET: &[&str] = &[
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.assertion.private.key.pem",
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.config",
    "sasl.password",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
];

const ALWAYS: &str = "leave it out: exactly what is committed and acknowledged decides that nothing is lost or doubled";

/// Properties that are the product's own, and what to do instead.
const OWNED: &[(&str, &str)] = &[
    ("acks", ALWAYS),
    ("allow.auto.create.topics", "leave it out: topics are never created by reading them"),
    ("auto.commit.enable", ALWAYS),
    ("auto.commit.interval.ms", ALWAYS),
    ("auto.offset.reset", "use `kafka.start` (error, earliest or latest)"),
    ("bootstrap.servers", "use `kafka.bootstrap`"),
    ("client.id", "use `kafka.client_id`"),
    ("enable.auto.commit", ALWAYS),
    ("enable.auto.offset.store", ALWAYS),
    ("enable.gapless.guarantee", ALWAYS),
    ("enable.idempotence", ALWAYS),
    ("enable.partition.eof", "leave it out: `--until-end` is the way to stop at the end"),
    ("group.id", "use `kafka.group`"),
    ("group.instance.id", "use `kafka.instance`"),
    ("group.protocol", "leave it out: the classic protocol with cooperative rebalancing is used"),
    ("group.remote.assignor", "leave it out: the assignor is cooperative-sticky"),
    ("isolation.level", "leave it out: only committed records are read"),
    ("metadata.broker.list", "use `kafka.bootstrap`"),
    ("partition.assignment.strategy", "leave it out: the assignor is cooperative-sticky"),
    ("request.required.acks", ALWAYS),
    ("statistics.interval.ms", "leave it out: the end of a partition is found by them"),
    ("transactional.id", ALWAYS),
];

impl KafkaSettings {
    /// Everything that is wrong with the settings as written; empty when nothing is.
    pub fn validate(&self) -> Vec<KafkaError> {
        let mut errors = Vec::new();
        if self.bootstrap.trim().is_empty() {
            errors.push(setting("bootstrap.servers", "is empty", "set `kafka.bootstrap` to host:port[,host:port…]"));
        }
        for property in self.properties.keys() {
            if SECRET.contains(&property.as_str()) {
                let hint = format!("name it under `secrets`, as `{property}: {{file: PATH}}` or `{{env: NAME}}`");
                errors.push(setting(property, "is a secret and may not stand in the configuration", &hint));
            }
            if self.secrets.contains_key(property) {
                errors.push(setting(property, "stands under `properties` and `secrets`", "keep one of the two"));
            }
        }
        for property in self.properties.keys().chain(self.secrets.keys()) {
            if let Some((_, hint)) = OWNED.iter().find(|(owned, _)| owned == property) {
                errors.push(setting(property, "is not open to configuration", hint));
            }
        }
        errors
    }

    /// Reads the secrets through `read` (the caller opens files and the environment; its error text must not quote the
    /// secret) and returns settings that can connect, or everything that is wrong.
    pub fn resolve(&self, read: &dyn Fn(&SecretFrom) -> Result<String, String>) -> Result<Connection, Vec<KafkaError>> {
        let mut errors = self.validate();
        let mut secrets = BTreeMap::new();
        for (property, from) in &self.secrets {
            match read(from) {
                Ok(value) => {
                    let value = value.strip_suffix('\n').unwrap_or(&value);
                    let value = value.strip_suffix('\r').unwrap_or(value);
                    if value.is_empty() {
                        errors.push(setting(property, &format!("{from} is empty"), "put the secret there"));
                    }
                    secrets.insert(property.clone(), value.to_owned());
                }
                Err(reason) => {
                    let reason = format!("{from} cannot be read: {reason}");
                    errors.push(setting(property, &reason, "check that it exists and this process may read it"));
                }
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Connection {
            bootstrap: self.bootstrap.clone(),
            client_id: self.client_id.clone(),
            properties: self.properties.clone(),
            secrets,
        })
    }
}

impl Connection {
    /// The bootstrap servers as configured.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The client's name as configured.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// `text` with every secret value replaced: for whatever librdkafka or a broker wrote.
    pub(crate) fn redact(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in self.secrets.values().filter(|secret| !secret.is_empty()) {
            clean = clean.replace(secret.as_str(), "[redacted]");
        }
        clean
    }

    /// The settings as librdkafka takes them: `defaults` can be overridden by the operator, `owned` cannot.
    pub(crate) fn client_config(&self, defaults: &[(&str, &str)], owned: &[(&str, &str)]) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (property, value) in defaults {
            config.set(*property, *value);
        }
        for (property, value) in self.properties.iter().chain(&self.secrets) {
            config.set(property, value);
        }
        config.set("bootstrap.servers", &self.bootstrap).set("client.id", &self.client_id);
        for (property, value) in owned {
            config.set(*property, *value);
        }
        config
    }

    /// librdkafka's refusal to make a client, without the value it may quote.
    pub(crate) fn refused(&self, error: &rdkafka::error::KafkaError) -> KafkaError {
        match error {
            rdkafka::error::KafkaError::ClientConfig(_, reason, property, _) => {
                setting(property, &self.redact(reason), "see librdkafka's list of properties and their values")
            }
            other => self.refused_together(&self.redact(&other.to_string())),
        }
    }

    /// A refusal that comes after all properties were taken one by one: often a file that one of them names.
    fn refused_together(&self, reason: &str) -> KafkaError {
        let is_file = |property: &str| property.ends_with(".location");
        let named = self.properties.iter().find(|(property, value)| {
            reason.contains(property.as_str()) || is_file(property) && reason.contains(value.as_str())
        });
        match named {
            Some((property, value)) if is_file(property) => {
                let hint = format!(
                    "check that {value} is there, that this process may read it, that it holds what {property} takes, \
                     and the secret that opens it, if one does"
                );
                setting(property, reason, &hint)
            }
            Some((property, _)) => setting(property, reason, "correct it, or what it is combined with"),
            None => setting("(all)", reason, "correct the combination of properties"),
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let secrets: Vec<&String> = self.secrets.keys().collect();
        f.debug_struct("Connection")
            .field("bootstrap", &self.bootstrap)
            .field("client_id", &self.client_id)
            .field("properties", &self.properties)
            .field("secrets", &secrets)
            .finish()
    }
}

fn setting(property: &str, reason: &str, hint: &str) -> KafkaError {
    KafkaError::Setting { property: property.to_owned(), reason: reason.to_owned(), hint: hint.to_owned() }
}

fn default_client_id() -> String {
    "pipewarden".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(properties: &[(&str, &str)], secrets: &[(&str, SecretFrom)]) -> KafkaSettings {
        KafkaSettings {
            bootstrap: "127.0.0.1:9092".into(),
            client_id: "test".into(),
            properties: properties.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            secrets: secrets.iter().map(|(k, v)| ((*k).into(), v.clone())).collect(),
        }
    }

    #[test]
    fn secrets_written_into_the_configuration_are_refused_without_being_quoted() {
        for property in SECRET {
            let errors = settings(&[(property, "hunter2")], &[]).validate();
            assert_eq!(errors.len(), 1, "{property}");
            let said = format!("{} {} {errors:?}", errors[0], errors[0].hint());
            assert!(said.contains(property) && said.contains("secrets") && !said.contains("hunter2"), "{said}");
        }
    }

    #[test]
    fn the_products_own_properties_are_refused_in_both_places() {
        for (property, hint) in OWNED {
            let inline = settings(&[(property, "x")], &[]).validate();
            let secret = settings(&[], &[(property, SecretFrom::Env("X".into()))]).validate();
            assert_eq!((inline.len(), secret.len()), (1, 1), "{property}");
            assert_eq!(inline[0].hint(), *hint);
        }
    }

    #[test]
    fn all_errors_come_at_once() {
        let mut broken = settings(&[("sasl.password", "x"), ("group.id", "g")], &[]);
        broken.bootstrap = " ".into();
        broken.secrets.insert("ssl.key.pem".into(), SecretFrom::File("/nowhere".into()));
        let errors = broken.resolve(&|_| Err("no such file".into())).expect_err("four errors");
        assert_eq!(errors.len(), 4, "{errors:?}");
    }

    #[test]
    fn a_resolved_secret_reaches_librdkafka_and_nothing_that_prints() {
        let from = SecretFrom::File("/run/secrets/kafka".into());
        let plain = settings(&[("sasl.username", "ci")], &[("sasl.password", from)]);
        let connection = plain.resolve(&|_| Ok("hunter2\n".into())).expect("resolves");
        assert_eq!(connection.client_config(&[], &[]).get("sasl.password"), Some("hunter2"));
        assert!(!format!("{connection:?}").contains("hunter2"));
        assert_eq!(connection.redact("bad hunter2!"), "bad [redacted]!");
    }

    #[test]
    fn a_value_librdkafka_refuses_is_reported_by_name() {
        let odd = settings(&[("socket.timeout.ms", "soon")], &[]).resolve(&|_| Ok(String::new())).expect("resolves");
        let error = odd.client_config(&[], &[]).create_native_config().err().expect("not a number");
        assert!(odd.refused(&error).to_string().starts_with("Kafka property socket.timeout.ms:"), "{error}");
    }
    #[test]
    fn a_file_that_is_not_there_is_named_with_its_property() {
        let located = [("security.protocol", "ssl"), ("ssl.ca.location", "/nowhere/ca.pem")];
        let connection = settings(&located, &[]).resolve(&|_| Ok(String::new())).expect("resolves");
        let created = connection.client_config(&[], &[]).create::<rdkafka::consumer::BaseConsumer>();
        let refused = connection.refused(&created.err().expect("no such file"));
        assert!(refused.concerns("ssl.ca.location") && refused.hint().contains("/nowhere/ca.pem"), "{refused}");
        let other = connection.refused(&rdkafka::error::KafkaError::ClientCreation("no reason".into()));
        assert!(other.concerns("(all)"), "{other}");
    }
}

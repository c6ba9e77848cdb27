//! Records of AWS CloudTrail, one event each.

use crate::org::{PROD, REGION};
use crate::rng::Rng;
use crate::time::rfc3339;
use crate::world::World;
use crate::write::json::Object;

/// A session of a role.
#[derive(Clone, Debug)]
pub struct Session {
    /// ARN of the role.
    pub role: String,
    /// Name that whoever took the role chose.
    pub name: String,
    /// Access key of the session.
    pub key: String,
    /// When the role was taken.
    pub since: i64,
    /// Where its calls come from.
    pub ip: String,
}

impl Session {
    /// The session of a workload or controller that takes its role anew each hour.
    pub fn hourly(role: &str, at: i64, ip: &str) -> Self {
        let since = at - at.rem_euclid(3_600_000);
        let key = access_key(&mut Rng::of(&format!("{role}{since}")));
        Self { role: role.to_owned(), name: format!("s-{}", since / 3_600_000), key, since, ip: ip.to_owned() }
    }

    /// The account of the role.
    pub fn account(&self) -> &str {
        self.role.split(':').nth(4).unwrap_or(PROD)
    }

    fn role_name(&self) -> &str {
        self.role.rsplit('/').next().unwrap_or("")
    }

    fn identity(&self) -> Object {
        let id = format!("AROA{}EXAMPLE", Rng::of(&self.role).hex(10).to_uppercase());
        let account = self.account();
        let arn = format!("arn:aws:sts::{account}:assumed-role/{}/{}", self.role_name(), self.name);
        let issuer = Object::new()
            .text("type", "Role")
            .text("principalId", &id)
            .text("arn", &self.role)
            .text("accountId", account)
            .text("userName", self.role_name());
        let attributes = Object::new().text("creationDate", &rfc3339(self.since)).text("mfaAuthenticated", "false");
        Object::new()
            .text("type", "AssumedRole")
            .text("principalId", &format!("{id}:{}", self.name))
            .text("arn", &arn)
            .text("accountId", account)
            .text("accessKeyId", &self.key)
            .object("sessionContext", Object::new().object("sessionIssuer", issuer).object("attributes", attributes))
    }
}

/// The id of a session's access key.
pub fn access_key(rng: &mut Rng) -> String {
    format!("ASIA{}EXAMPLE", rng.hex(9).to_uppercase())
}

/// A call: service and operation, with what was asked and answered.
#[derive(Clone, Debug)]
pub struct Call {
    /// `secretsmanager`, `kms` …
    pub service: &'static str,
    /// The operation.
    pub name: &'static str,
    /// It changes nothing.
    pub read_only: bool,
    /// What was asked.
    pub request: Object,
    /// What was answered, where the trail tells.
    pub response: Option<Object>,
    /// ARN of what it was about.
    pub resource: Option<String>,
    /// Why it was refused.
    pub error: Option<&'static str>,
}

impl Call {
    /// A call that succeeds and of whose answer the trail says nothing.
    pub fn new(service: &'static str, name: &'static str, read_only: bool, request: Object) -> Self {
        Self { service, name, read_only, request, response: None, resource: None, error: None }
    }
}

impl World {
    /// Says a call of a session.
    pub(crate) fn trail(&mut self, class: &'static str, session: &Session, call: Call, at: i64, marked: bool) {
        let identity = session.identity();
        self.trail_by(class, identity, session.account(), &session.ip, call, at, marked);
    }

    /// Says a call of any identity.
    #[expect(clippy::too_many_arguments, reason = "the parts of one record; each caller has them apart")]
    pub(crate) fn trail_by(
        &mut self,
        class: &'static str,
        identity: Object,
        account: &str,
        ip: &str,
        call: Call,
        at: i64,
        marked: bool,
    ) {
        let mut record = Object::new()
            .text("eventVersion", "1.11")
            .object("userIdentity", identity)
            .text("eventTime", &rfc3339(at))
            .text("eventSource", &format!("{}.amazonaws.com", call.service))
            .text("eventName", call.name)
            .text("awsRegion", REGION)
            .text("sourceIPAddress", ip)
            .text("userAgent", "aws-sdk-go-v2/1.32.1 os/linux")
            .maybe("errorCode", call.error)
            .object("requestParameters", call.request);
        record = match call.response {
            Some(response) => record.object("responseElements", response),
            None => record.raw("responseElements", "null"),
        };
        if let Some(arn) = call.resource {
            let resource = Object::new().text("accountId", account).text("ARN", &arn);
            record = record.objects("resources", vec![resource]);
        }
        let id = self.rng.hex(32);
        let record = record
            .text("requestID", &id)
            .text("eventID", &format!("{}-{}", id.get(0..8).unwrap_or("0"), self.number()))
            .flag("readOnly", call.read_only)
            .text("eventType", "AwsApiCall")
            .flag("managementEvent", true)
            .text("recipientAccountId", account)
            .text("eventCategory", "Management");
        // Whole seconds in the record: the event is at the second's start.
        self.send_native("cloudtrail", class, at - at.rem_euclid(1_000), record, marked);
    }
}

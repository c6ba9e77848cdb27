//! What reading twelve fields costs with `serde_json` and nothing else: for each format a struct as a good engineer writes it,
//! and for each kind of its records where they have no field in common.
//!
//! The fields are those that most of the format's known records have (fewer where there are no twelve), texts borrowed,
//! lists read element by element, and payloads in base64 decoded and read, too. Must never leave out what a decoder has to
//! do for the same fields: it would flatter whoever is measured against it.

mod shapes;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, IgnoredAny};
use serde_json::value::RawValue;

use self::shapes::*;

/// Reads a record; false: it has another shape.
pub type Floor = fn(&str) -> bool;

/// Parses a record into nothing.
pub fn skip(text: &str) -> bool {
    std::hint::black_box(serde_json::from_str::<IgnoredAny>(text)).is_ok()
}

/// A text, which stands in the record unless escapes stand in it.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A value of more than one type.
#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "read and dropped")]
struct Any<'a>(#[serde(borrow)] &'a RawValue);

#[allow(dead_code, reason = "read and dropped")]
struct Num<'a>(f64, PhantomData<&'a ()>);

#[allow(dead_code, reason = "read and dropped")]
struct Flag<'a>(bool, PhantomData<&'a ()>);

impl<'de: 'a, 'a> Deserialize<'de> for Num<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(|number| Num(number, PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Flag<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bool::deserialize(deserializer).map(|flag| Flag(flag, PhantomData))
    }
}

/// The shapes that records of a format have; the first that fits a record is the one to read it by.
pub fn of(format: &str) -> &'static [Floor] {
    macro_rules! shape {
        ($name:ident) => {
            &[|text| read::<$name<'_>>(text).is_some(), |text| read::<Vec<$name<'_>>>(text).is_some()]
        };
    }
    match format {
        "github-audit" => shape!(GithubAudit),
        "ecr-eventbridge" => shape!(EcrEventbridge),
        "aws-codebuild-codepipeline" => shape!(AwsCodebuildCodepipeline),
        "cloudtrail" => shape!(Cloudtrail),
        "vault-audit" => shape!(VaultAudit),
        "kubernetes-audit" => shape!(KubernetesAudit),
        "policy-report" => &[
            |text| read::<PolicyConstraint<'_>>(text).is_some_and(|of| of.status.is_some()),
            |text| read::<PolicyReport<'_>>(text).is_some(),
        ],
        "opa-decision-log" => shape!(OpaDecisionLog),
        "falco" => shape!(Falco),
        "argocd" => shape!(Argocd),
        "flux" => shape!(Flux),
        "rollouts" => shape!(Rollouts),
        "cyclonedx" => shape!(Cyclonedx),
        "spdx" => shape!(Spdx),
        "sarif" => shape!(Sarif),
        "secret-scan" => shape!(SecretScan),
        "oidc-exchange" => shape!(OidcExchange),
        "harbor" => shape!(Harbor),
        "oci-distribution" => shape!(OciDistribution),
        "package-feed" => &[
            |text| read::<PackageRelease<'_>>(text).is_some_and(|of| of.info.is_some()),
            |text| read::<PackageFeed<'_>>(text).is_some(),
        ],
        "osv" => &[
            |text| read::<OsvList<'_>>(text).is_some_and(|of| of.vulns.is_some()),
            |text| read::<Osv<'_>>(text).is_some(),
        ],
        "gitlab-webhook" => shape!(GitlabWebhook),
        "gitlab-audit" => shape!(GitlabAudit),
        "github-webhook" => shape!(GithubWebhook),
        "cdevents" => shape!(Cdevents),
        "jenkins-cloudevents" => shape!(JenkinsCloudevents),
        "tekton-cloudevents" => shape!(TektonCloudevents),
        "normal" => shape!(Normal),
        "in-toto" => &[|text| read::<InToto<'_>>(text).is_some_and(|of| statement(of.payload))],
        "sigstore-bundle" => &[|text| {
            read::<SigstoreBundle<'_>>(text).is_some_and(|of| statement(of.dsse_envelope.and_then(|of| of.payload)))
        }],
        "rekor" => &[
            |text| read::<RekorEntry<'_>>(text).is_some_and(|of| of.kind.is_some()),
            |text| read::<RekorBundle<'_>>(text).is_some_and(|of| of.payload.is_some_and(RekorLogged::opens)),
            |text| {
                read::<BTreeMap<&str, RekorLogged<'_>>>(text).is_some_and(|of| of.into_values().all(RekorLogged::opens))
            },
        ],
        _ => &[skip],
    }
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    std::hint::black_box(serde_json::from_str(text)).ok()
}

/// The envelope alone, and where its data stand.
pub fn data(text: &str) -> Option<&str> {
    read::<Envelope<'_>>(text).and_then(|envelope| envelope.data).map(|data| data.0.get())
}

/// The statement in a payload, where there is one.
fn statement(payload: Option<Text<'_>>) -> bool {
    let bytes = |text: Text<'_>| STANDARD.decode(&*text.0);
    payload.is_none_or(|text| {
        bytes(text).is_ok_and(|bytes| read::<InToto<'_>>(std::str::from_utf8(&bytes).unwrap_or("")).is_some())
    })
}

impl RekorLogged<'_> {
    /// The entry in a log's answer.
    fn opens(self) -> bool {
        let bytes = self.body.and_then(|body| STANDARD.decode(&*body.0).ok());
        bytes.is_some_and(|bytes| read::<RekorEntry<'_>>(std::str::from_utf8(&bytes).unwrap_or("")).is_some())
    }
}

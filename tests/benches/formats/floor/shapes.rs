//! The structs that the floor reads records into, one for each format or kind of its records:
//! twelve fields that most of the known ones have, fewer where there are no twelve.
//!
//! Chosen by counting; must never name a field that no record has, since what is absent costs nothing.

use std::collections::BTreeMap;

use super::{Any, Flag, Num, Text};

macro_rules! shapes {
    ($($name:ident { $($key:literal $field:ident: $type:ty),* $(,)? })*) => {$(
        #[derive(serde::Deserialize)]
        #[serde(bound(deserialize = "'de: 'a"))]
        #[allow(dead_code, reason = "read and dropped")]
        pub(super) struct $name<'a> { $(#[serde(rename = $key)] pub(super) $field: Option<$type>),* }
    )*};
}

#[rustfmt::skip]
shapes! {
    GithubAudit { "action" action: Text<'a>, "actor" actor: Text<'a>, "created_at" created_at: Any<'a>,
        "actor_id" actor_id: Any<'a>, "_document_id" document_id: Text<'a>, "operation_type" operation_type: Text<'a>,
        "org" org: Text<'a>, "business" business: Text<'a>, "@timestamp" timestamp: Num<'a>,
        "business_id" business_id: Any<'a>, "actor_is_bot" actor_is_bot: Flag<'a>, "org_id" org_id: Any<'a>, }
    EcrEventbridgeDetail { "repository-name" repository_name: Text<'a>, "image-digest" image_digest: Text<'a>,
        "action-type" action_type: Text<'a>, "result" result: Text<'a>, "image-tag" image_tag: Text<'a>, }
    EcrEventbridge {
        "id" id: Text<'a>, "detail-type" detail_type: Text<'a>, "account" account: Text<'a>, "time" time: Text<'a>,
        "region" region: Text<'a>, "detail" detail: EcrEventbridgeDetail<'a>, "source" source: Text<'a>,
        "version" version: Text<'a>, }
    AwsCodebuildCodepipelineDetail {
        "state" state: Text<'a>, "pipeline" pipeline: Text<'a>, "execution-id" execution_id: Text<'a>,
        "project-name" project_name: Text<'a>, }
    AwsCodebuildCodepipeline {
        "time" time: Text<'a>, "id" id: Text<'a>, "detail-type" detail_type: Text<'a>, "account" account: Text<'a>,
        "detail" detail: AwsCodebuildCodepipelineDetail<'a>, "source" source: Text<'a>, "region" region: Text<'a>,
        "resources" resources: Vec<Text<'a>>, "version" version: Text<'a>, }
    CloudtrailUserIdentity { "type" r#type: Text<'a>, "principalId" principal_id: Text<'a> }
    Cloudtrail { "eventVersion" event_version: Text<'a>, "userIdentity" user_identity: CloudtrailUserIdentity<'a>,
        "eventTime" event_time: Text<'a>, "eventSource" event_source: Text<'a>, "eventName" event_name: Text<'a>,
        "awsRegion" aws_region: Text<'a>, "sourceIPAddress" source_ipaddress: Text<'a>,
        "userAgent" user_agent: Text<'a>, "eventID" event_id: Text<'a>, "readOnly" read_only: Flag<'a>,
        "eventType" event_type: Text<'a>, }
    VaultAuditRequest { "id" id: Text<'a>, "operation" operation: Text<'a>, "mount_point" mount_point: Text<'a>,
        "mount_type" mount_type: Text<'a>, "path" path: Text<'a>, "remote_address" remote_address: Text<'a>, }
    VaultAuditAuth {
        "token_type" token_type: Text<'a>, "accessor" accessor: Text<'a>, "display_name" display_name: Text<'a>,
        "policies" policies: Vec<Text<'a>>, }
    VaultAudit { "time" time: Text<'a>, "type" r#type: Text<'a>, "request" request: VaultAuditRequest<'a>,
        "auth" auth: VaultAuditAuth<'a>, }
    KubernetesAuditUser { "username" username: Text<'a>, "groups" groups: Vec<Text<'a>> }
    KubernetesAuditObjectRef { "resource" resource: Text<'a>, "name" name: Text<'a> }
    KubernetesAuditResponseStatus { "code" code: Num<'a> }
    KubernetesAudit { "auditID" audit_id: Text<'a>, "stage" stage: Text<'a>, "requestURI" request_uri: Text<'a>,
        "verb" verb: Text<'a>, "user" user: KubernetesAuditUser<'a>,
        "objectRef" object_ref: KubernetesAuditObjectRef<'a>,
        "responseStatus" response_status: KubernetesAuditResponseStatus<'a>,
        "stageTimestamp" stage_timestamp: Text<'a>, "kind" kind: Text<'a>, "level" level: Text<'a>, }
    PolicyReportItemsMetadata { "name" name: Text<'a>, "namespace" namespace: Text<'a> }
    PolicyReportItemsScope { "kind" kind: Text<'a>, "name" name: Text<'a>, "namespace" namespace: Text<'a> }
    PolicyReportItemsResults { "policy" policy: Text<'a>, "rule" rule: Text<'a>, "result" result: Text<'a> }
    PolicyReportItems {
        "apiVersion" api_version: Text<'a>, "kind" kind: Text<'a>, "metadata" metadata: PolicyReportItemsMetadata<'a>,
        "scope" scope: PolicyReportItemsScope<'a>, "results" results: Vec<PolicyReportItemsResults<'a>>, }
    PolicyReport { "apiVersion" api_version: Text<'a>, "kind" kind: Text<'a>, "items" items: Vec<PolicyReportItems<'a>>,
    }
    PolicyConstraintMetadata { "name" name: Text<'a> }
    PolicyConstraintStatusViolations {
        "enforcementAction" enforcement_action: Text<'a>, "kind" kind: Text<'a>, "name" name: Text<'a>,
        "namespace" namespace: Text<'a>, "message" message: Text<'a>, }
    PolicyConstraintStatus {
        "auditTimestamp" audit_timestamp: Text<'a>, "violations" violations: Vec<PolicyConstraintStatusViolations<'a>>,
    }
    PolicyConstraint {
        "apiVersion" api_version: Text<'a>, "kind" kind: Text<'a>, "metadata" metadata: PolicyConstraintMetadata<'a>,
        "status" status: PolicyConstraintStatus<'a>, }
    OpaDecisionLogLabels { "id" id: Text<'a>, "environment" environment: Text<'a>, "cluster" cluster: Text<'a> }
    OpaDecisionLogInput { "service" service: Text<'a>, "environment" environment: Text<'a>, "digest" digest: Text<'a>, }
    OpaDecisionLog { "decision_id" decision_id: Text<'a>, "timestamp" timestamp: Text<'a>, "path" path: Text<'a>,
        "requested_by" requested_by: Text<'a>, "labels" labels: OpaDecisionLogLabels<'a>,
        "revision" revision: Text<'a>, "input" input: OpaDecisionLogInput<'a>, "result" result: Any<'a>, }
    FalcoOutputFields { "evt.type" evt_type: Text<'a>, "evt.time" evt_time: Num<'a>, "fd.name" fd_name: Text<'a>,
        "proc.cmdline" proc_cmdline: Text<'a>, "proc.exepath" proc_exepath: Text<'a>, "proc.pname" proc_pname: Text<'a>,
    }
    Falco { "hostname" hostname: Text<'a>, "priority" priority: Text<'a>, "rule" rule: Text<'a>, "time" time: Text<'a>,
        "output_fields" output_fields: FalcoOutputFields<'a>, "source" source: Text<'a>, "tags" tags: Vec<Text<'a>>, }
    ArgocdAppMetadataLabels { "environment" environment: Text<'a> }
    ArgocdAppMetadata { "name" name: Text<'a>, "namespace" namespace: Text<'a>, "uid" uid: Text<'a>,
        "resourceVersion" resource_version: Text<'a>, "labels" labels: ArgocdAppMetadataLabels<'a>, }
    ArgocdAppSpecSource { "repoURL" repo_url: Text<'a> }
    ArgocdAppSpecDestination { "name" name: Text<'a>, "namespace" namespace: Text<'a> }
    ArgocdAppSpec { "project" project: Text<'a>, "source" source: ArgocdAppSpecSource<'a>,
        "destination" destination: ArgocdAppSpecDestination<'a>, }
    ArgocdAppStatusOperationStateSyncResult { "revision" revision: Text<'a> }
    ArgocdAppStatusOperationState { "phase" phase: Text<'a>, "startedAt" started_at: Text<'a>,
        "syncResult" sync_result: ArgocdAppStatusOperationStateSyncResult<'a>, }
    ArgocdAppStatus { "operationState" operation_state: ArgocdAppStatusOperationState<'a> }
    ArgocdApp { "metadata" metadata: ArgocdAppMetadata<'a>, "spec" spec: ArgocdAppSpec<'a>,
        "status" status: ArgocdAppStatus<'a>, }
    Argocd { "app" app: ArgocdApp<'a> }
    FluxInvolvedObject {
        "kind" kind: Text<'a>, "namespace" namespace: Text<'a>, "name" name: Text<'a>, "uid" uid: Text<'a>, }
    FluxMetadata {
        "kustomize.toolkit.fluxcd.io/revision" kustomize_toolkit_fluxcd_io_revision: Text<'a>, "env" env: Text<'a>,
        "cluster" cluster: Text<'a>, }
    Flux { "involvedObject" involved_object: FluxInvolvedObject<'a>, "severity" severity: Text<'a>,
        "timestamp" timestamp: Text<'a>, "message" message: Text<'a>, "reason" reason: Text<'a>,
        "reportingController" reporting_controller: Text<'a>, "metadata" metadata: FluxMetadata<'a>, }
    RolloutsMetadata {
        "eventMessage" event_message: Text<'a>, "eventType" event_type: Text<'a>, "timestamp" timestamp: Text<'a>, }
    Rollouts { "name" name: Text<'a>, "namespace" namespace: Text<'a>, "phase" phase: Text<'a>,
        "checksum" checksum: Text<'a>, "metadata" metadata: RolloutsMetadata<'a>, }
    SigstoreBundleVerificationMaterialTlogEntriesLogId { "keyId" key_id: Text<'a> }
    SigstoreBundleVerificationMaterialTlogEntriesKindVersion { "kind" kind: Text<'a>, "version" version: Text<'a> }
    SigstoreBundleVerificationMaterialTlogEntriesInclusionProof {
        "logIndex" log_index: Text<'a>, "rootHash" root_hash: Text<'a>, "treeSize" tree_size: Text<'a>,
        "hashes" hashes: Vec<Text<'a>>, }
    SigstoreBundleVerificationMaterialTlogEntries {
        "logIndex" log_index: Text<'a>, "logId" log_id: SigstoreBundleVerificationMaterialTlogEntriesLogId<'a>,
        "kindVersion" kind_version: SigstoreBundleVerificationMaterialTlogEntriesKindVersion<'a>,
        "canonicalizedBody" canonicalized_body: Text<'a>, "integratedTime" integrated_time: Text<'a>,
        "inclusionProof" inclusion_proof: SigstoreBundleVerificationMaterialTlogEntriesInclusionProof<'a>, }
    SigstoreBundleVerificationMaterial {
        "tlogEntries" tlog_entries: Vec<SigstoreBundleVerificationMaterialTlogEntries<'a>>, }
    SigstoreBundleDsseEnvelope { "payload" payload: Text<'a> }
    SigstoreBundle { "mediaType" media_type: Text<'a>,
        "verificationMaterial" verification_material: SigstoreBundleVerificationMaterial<'a>,
        "dsseEnvelope" dsse_envelope: SigstoreBundleDsseEnvelope<'a>, }
    InTotoSubjectDigest { "sha256" sha256: Text<'a> }
    InTotoSubject { "name" name: Text<'a>, "digest" digest: InTotoSubjectDigest<'a> }
    InTotoPredicateBuildDefinitionResolvedDependencies { "uri" uri: Text<'a> }
    InTotoPredicateBuildDefinitionExternalParametersWorkflow {
        "ref" r#ref: Text<'a>, "repository" repository: Text<'a>, "path" path: Text<'a>, }
    InTotoPredicateBuildDefinitionExternalParameters {
        "workflow" workflow: InTotoPredicateBuildDefinitionExternalParametersWorkflow<'a>, }
    InTotoPredicateBuildDefinition { "buildType" build_type: Text<'a>,
        "resolvedDependencies" resolved_dependencies: Vec<InTotoPredicateBuildDefinitionResolvedDependencies<'a>>,
        "externalParameters" external_parameters: InTotoPredicateBuildDefinitionExternalParameters<'a>, }
    InTotoPredicateRunDetailsBuilder { "id" id: Text<'a> }
    InTotoPredicateRunDetailsMetadata { "invocationId" invocation_id: Text<'a> }
    InTotoPredicateRunDetails { "builder" builder: InTotoPredicateRunDetailsBuilder<'a>,
        "metadata" metadata: InTotoPredicateRunDetailsMetadata<'a>, }
    InTotoPredicate { "buildDefinition" build_definition: InTotoPredicateBuildDefinition<'a>,
        "runDetails" run_details: InTotoPredicateRunDetails<'a>, }
    InToto {
        "_type" r#type: Text<'a>, "subject" subject: Vec<InTotoSubject<'a>>, "predicateType" predicate_type: Text<'a>,
        "predicate" predicate: InTotoPredicate<'a>, "payload" payload: Text<'a>, }
    CyclonedxMetadataComponent {
        "bom-ref" bom_ref: Text<'a>, "name" name: Text<'a>, "version" version: Text<'a>, "type" r#type: Text<'a>,
        "purl" purl: Text<'a>, }
    CyclonedxMetadata { "timestamp" timestamp: Text<'a>, "component" component: CyclonedxMetadataComponent<'a> }
    CyclonedxComponents { "name" name: Text<'a>, "purl" purl: Text<'a> }
    Cyclonedx { "bomFormat" bom_format: Text<'a>, "specVersion" spec_version: Text<'a>, "version" version: Num<'a>,
        "metadata" metadata: CyclonedxMetadata<'a>, "serialNumber" serial_number: Text<'a>,
        "components" components: Vec<CyclonedxComponents<'a>>, }
    SpdxCreationInfo { "created" created: Text<'a>, "creators" creators: Vec<Text<'a>>,
        "licenseListVersion" license_list_version: Text<'a>, }
    SpdxPackagesExternalRefs { "referenceType" reference_type: Text<'a>, "referenceLocator" reference_locator: Text<'a>,
    }
    SpdxPackages { "name" name: Text<'a>, "externalRefs" external_refs: Vec<SpdxPackagesExternalRefs<'a>> }
    Spdx { "spdxVersion" spdx_version: Text<'a>, "SPDXID" spdxid: Text<'a>,
        "documentNamespace" document_namespace: Text<'a>, "creationInfo" creation_info: SpdxCreationInfo<'a>,
        "packages" packages: Vec<SpdxPackages<'a>>, "name" name: Text<'a>, "dataLicense" data_license: Text<'a>,
        "documentDescribes" document_describes: Vec<Text<'a>>, }
    SarifRunsToolDriver { "name" name: Text<'a>, "version" version: Text<'a> }
    SarifRunsTool { "driver" driver: SarifRunsToolDriver<'a> }
    SarifRunsAutomationDetails { "id" id: Text<'a>, "guid" guid: Text<'a> }
    SarifRunsInvocations { "executionSuccessful" execution_successful: Flag<'a>, "endTimeUtc" end_time_utc: Text<'a> }
    SarifRunsVersionControlProvenance {
        "repositoryUri" repository_uri: Text<'a>, "revisionId" revision_id: Text<'a>, "branch" branch: Text<'a>, }
    SarifRunsProperties { "repoDigests" repo_digests: Vec<Text<'a>> }
    SarifRuns { "tool" tool: SarifRunsTool<'a>, "automationDetails" automation_details: SarifRunsAutomationDetails<'a>,
        "invocations" invocations: Vec<SarifRunsInvocations<'a>>,
        "versionControlProvenance" version_control_provenance: Vec<SarifRunsVersionControlProvenance<'a>>,
        "properties" properties: SarifRunsProperties<'a>, }
    Sarif { "version" version: Text<'a>, "runs" runs: Vec<SarifRuns<'a>>, "$schema" schema: Text<'a> }
    SecretScan { "RuleID" rule_id: Text<'a>, "Description" description: Text<'a>, "StartLine" start_line: Num<'a>,
        "File" file: Text<'a>, "Secret" secret: Text<'a>, "Match" r#match: Text<'a>, "Commit" commit: Text<'a>,
        "Author" author: Text<'a>, "Email" email: Text<'a>, "Date" date: Text<'a>, "Message" message: Text<'a>,
        "Fingerprint" fingerprint: Text<'a>, }
    OidcExchangeSubjectClaims {
        "iss" iss: Text<'a>, "sub" sub: Text<'a>, "repository" repository: Text<'a>, "ref" r#ref: Text<'a>,
        "runner_environment" runner_environment: Text<'a>, }
    OidcExchange { "grant_type" grant_type: Text<'a>, "id" id: Text<'a>, "time" time: Any<'a>,
        "subject_claims" subject_claims: OidcExchangeSubjectClaims<'a>, "outcome" outcome: Text<'a>,
        "audience" audience: Text<'a>, "role" role: Text<'a>, "issued_token_id" issued_token_id: Text<'a>, }
    HarborDataResources { "digest" digest: Text<'a> }
    HarborDataRepository {
        "name" name: Text<'a>, "namespace" namespace: Text<'a>, "repo_full_name" repo_full_name: Text<'a>,
        "repo_type" repo_type: Text<'a>, }
    HarborData { "resources" resources: Vec<HarborDataResources<'a>>, "repository" repository: HarborDataRepository<'a>,
    }
    Harbor { "type" r#type: Text<'a>, "operator" operator: Text<'a>, "specversion" specversion: Text<'a>,
        "id" id: Text<'a>, "source" source: Text<'a>, "time" time: Text<'a>,
        "datacontenttype" datacontenttype: Text<'a>, "data" data: HarborData<'a>, }
    OciDistribution { "time" time: Text<'a>, "http.request.id" http_request_id: Text<'a>,
        "http.request.method" http_request_method: Text<'a>, "http.request.uri" http_request_uri: Text<'a>,
        "http.response.status" http_response_status: Num<'a>, "vars.name" vars_name: Text<'a>,
        "vars.reference" vars_reference: Text<'a>, "msg" msg: Text<'a>,
        "http.request.remoteaddr" http_request_remoteaddr: Text<'a>,
        "http.request.useragent" http_request_useragent: Text<'a>,
        "http.response.duration" http_response_duration: Text<'a>,
        "http.response.written" http_response_written: Num<'a>, }
    PackageFeedChanges { "rev" rev: Text<'a> }
    PackageFeedDocTime { "modified" modified: Text<'a> }
    PackageFeedDocDistTags { "latest" latest: Text<'a> }
    PackageFeedDocVersionsUser { "name" name: Text<'a> }
    PackageFeedDocVersionsDist { "tarball" tarball: Text<'a> }
    PackageFeedDocVersions { "_id" id: Text<'a>, "name" name: Text<'a>, "version" version: Text<'a>,
        "_npmUser" user: PackageFeedDocVersionsUser<'a>, "dist" dist: PackageFeedDocVersionsDist<'a>, }
    PackageFeedDoc { "_id" id: Text<'a>, "name" name: Text<'a>, "time" time: PackageFeedDocTime<'a>,
        "dist-tags" dist_tags: PackageFeedDocDistTags<'a>,
        "versions" versions: BTreeMap<&'a str, PackageFeedDocVersions<'a>>, }
    PackageFeed {
        "seq" seq: Num<'a>, "id" id: Text<'a>, "changes" changes: Vec<PackageFeedChanges<'a>>, "name" name: Text<'a>,
        "timestamp" timestamp: Num<'a>, "action" action: Text<'a>, "serial" serial: Num<'a>,
        "doc" doc: PackageFeedDoc<'a>, "version" version: Text<'a>, }
    PackageReleaseInfo { "name" name: Text<'a>, "version" version: Text<'a>, "author" author: Text<'a> }
    PackageReleaseUrlsDigests { "sha256" sha256: Text<'a> }
    PackageReleaseUrls { "filename" filename: Text<'a>, "packagetype" packagetype: Text<'a>, "size" size: Num<'a>,
        "digests" digests: PackageReleaseUrlsDigests<'a>, "upload_time" upload_time: Text<'a>,
        "upload_time_iso_8601" upload_time_iso: Text<'a>, "yanked" yanked: Flag<'a>, }
    PackageReleaseOwnership { "organization" organization: Text<'a> }
    PackageRelease { "info" info: PackageReleaseInfo<'a>, "last_serial" last_serial: Num<'a>,
        "urls" urls: Vec<PackageReleaseUrls<'a>>, "ownership" ownership: PackageReleaseOwnership<'a>, }
    OsvAffectedPackage { "ecosystem" ecosystem: Text<'a>, "name" name: Text<'a>, "purl" purl: Text<'a> }
    OsvAffected { "package" package: OsvAffectedPackage<'a>, "versions" versions: Vec<Text<'a>> }
    OsvDatabaseSpecificMaliciousPackagesOrigins {
        "source" source: Text<'a>, "sha256" sha256: Text<'a>, "import_time" import_time: Text<'a>, }
    OsvDatabaseSpecific {
        "malicious-packages-origins" malicious_packages_origins: Vec<OsvDatabaseSpecificMaliciousPackagesOrigins<'a>>, }
    Osv { "id" id: Text<'a>, "modified" modified: Text<'a>, "affected" affected: Vec<OsvAffected<'a>>,
        "schema_version" schema_version: Text<'a>, "published" published: Text<'a>, "summary" summary: Text<'a>,
        "database_specific" database_specific: OsvDatabaseSpecific<'a>, }
    OsvList { "vulns" vulns: Vec<Osv<'a>> }
    GitlabWebhookProject {
        "id" id: Num<'a>, "web_url" web_url: Text<'a>, "path_with_namespace" path_with_namespace: Text<'a>,
        "name" name: Text<'a>, "description" description: Text<'a>, "git_ssh_url" git_ssh_url: Text<'a>,
        "git_http_url" git_http_url: Text<'a>, "namespace" namespace: Text<'a>, }
    GitlabWebhookUser { "id" id: Num<'a>, "username" username: Text<'a>, "name" name: Text<'a> }
    GitlabWebhook { "object_kind" object_kind: Text<'a>, "project" project: GitlabWebhookProject<'a>,
        "user" user: GitlabWebhookUser<'a>, }
    GitlabAuditDetails { "add" add: Text<'a> }
    GitlabAudit { "id" id: Text<'a>, "author_id" author_id: Num<'a>, "author_name" author_name: Text<'a>,
        "entity_id" entity_id: Num<'a>, "entity_type" entity_type: Text<'a>, "entity_path" entity_path: Text<'a>,
        "event_type" event_type: Text<'a>, "created_at" created_at: Text<'a>, "target_id" target_id: Num<'a>,
        "target_type" target_type: Text<'a>, "target_details" target_details: Text<'a>,
        "details" details: GitlabAuditDetails<'a>, }
    GithubWebhookSender { "login" login: Text<'a>, "id" id: Num<'a>, "type" r#type: Text<'a> }
    GithubWebhookRepositoryOwner { "login" login: Text<'a>, "id" id: Num<'a> }
    GithubWebhookRepository { "id" id: Num<'a>, "full_name" full_name: Text<'a>, "html_url" html_url: Text<'a>,
        "owner" owner: GithubWebhookRepositoryOwner<'a>, "name" name: Text<'a>, "private" private: Flag<'a>,
        "default_branch" default_branch: Text<'a>, }
    GithubWebhook { "sender" sender: GithubWebhookSender<'a>, "repository" repository: GithubWebhookRepository<'a>,
        "action" action: Text<'a>, }
    CdeventsContextLinksTarget { "contextId" context_id: Text<'a> }
    CdeventsContextLinksTags { "foo1" foo1: Text<'a>, "foo2" foo2: Text<'a> }
    CdeventsContextLinks { "linkType" link_type: Text<'a>, "linkKind" link_kind: Text<'a>,
        "target" target: CdeventsContextLinksTarget<'a>, "tags" tags: CdeventsContextLinksTags<'a>, }
    CdeventsContext {
        "id" id: Text<'a>, "source" source: Text<'a>, "type" r#type: Text<'a>, "timestamp" timestamp: Text<'a>,
        "specversion" specversion: Text<'a>, "schemaUri" schema_uri: Text<'a>,
        "links" links: Vec<CdeventsContextLinks<'a>>, }
    CdeventsSubject { "id" id: Text<'a> }
    Cdevents { "context" context: CdeventsContext<'a>, "subject" subject: CdeventsSubject<'a> }
    JenkinsCloudeventsBuild { "fullUrl" full_url: Text<'a>, "number" number: Num<'a>, "queueId" queue_id: Num<'a>,
        "timestamp" timestamp: Num<'a>, "duration" duration: Num<'a>, "phase" phase: Text<'a>, "url" url: Text<'a>, }
    JenkinsCloudevents {
        "displayName" display_name: Text<'a>, "userId" user_id: Text<'a>, "userName" user_name: Text<'a>,
        "name" name: Text<'a>, "url" url: Text<'a>, "build" build: JenkinsCloudeventsBuild<'a>, }
    TektonCloudeventsDataTaskRunMetadataLabels { "tekton.dev/task" tekton_dev_task: Text<'a> }
    TektonCloudeventsDataTaskRunMetadata { "name" name: Text<'a>, "namespace" namespace: Text<'a>, "uid" uid: Text<'a>,
        "labels" labels: TektonCloudeventsDataTaskRunMetadataLabels<'a>, }
    TektonCloudeventsDataTaskRunSpecTaskRef { "name" name: Text<'a> }
    TektonCloudeventsDataTaskRunSpec { "taskRef" task_ref: TektonCloudeventsDataTaskRunSpecTaskRef<'a>,
        "serviceAccountName" service_account_name: Text<'a>, }
    TektonCloudeventsDataTaskRunStatus { "startTime" start_time: Text<'a> }
    TektonCloudeventsDataTaskRun { "metadata" metadata: TektonCloudeventsDataTaskRunMetadata<'a>,
        "spec" spec: TektonCloudeventsDataTaskRunSpec<'a>, "status" status: TektonCloudeventsDataTaskRunStatus<'a>, }
    TektonCloudeventsData { "taskRun" task_run: TektonCloudeventsDataTaskRun<'a> }
    TektonCloudevents {
        "specversion" specversion: Text<'a>, "id" id: Text<'a>, "source" source: Text<'a>, "type" r#type: Text<'a>,
        "time" time: Text<'a>, "data" data: TektonCloudeventsData<'a>, }
    NormalEvent { "class" class: Text<'a>, "action" action: Text<'a>, "time" time: Text<'a>, "id" id: Text<'a>,
        "outcome" outcome: Text<'a>, }
    NormalProv { "repo" repo: Text<'a>, "runner_id" runner_id: Text<'a>, "runner_pool" runner_pool: Text<'a>,
        "run_id" run_id: Text<'a>, "job_id" job_id: Text<'a>, "actor_id" actor_id: Text<'a>,
        "token_id" token_id: Text<'a>, }
    Normal { "event" event: NormalEvent<'a>, "prov" prov: NormalProv<'a> }
    RekorHash { "algorithm" algorithm: Text<'a>, "value" value: Text<'a> }
    RekorData { "hash" hash: RekorHash<'a> }
    RekorKey { "content" content: Text<'a> }
    RekorSignature { "content" content: Text<'a>, "publicKey" public_key: RekorKey<'a> }
    RekorSigned { "signature" signature: Text<'a>, "verifier" verifier: Text<'a> }
    RekorSpec {
        "data" data: RekorData<'a>, "signature" signature: RekorSignature<'a>, "envelopeHash" envelope: RekorHash<'a>,
        "payloadHash" payload: RekorHash<'a>, "signatures" signatures: Vec<RekorSigned<'a>>, }
    RekorEntry { "apiVersion" api_version: Text<'a>, "kind" kind: Text<'a>, "spec" spec: RekorSpec<'a> }
    RekorLogged {
        "body" body: Text<'a>, "integratedTime" time: Num<'a>, "logID" log: Text<'a>, "logIndex" index: Num<'a>, }
    RekorBundle { "SignedEntryTimestamp" promise: Text<'a>, "Payload" payload: RekorLogged<'a> }
    Envelope {
        "specversion" specversion: Text<'a>, "id" id: Text<'a>, "source" source: Text<'a>, "type" r#type: Text<'a>,
        "time" time: Text<'a>, "data" data: Any<'a>, }
}

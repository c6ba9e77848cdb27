//! Vault's audit log.

use super::{Expected, check};

#[rustfmt::skip]
const VAULT: &[Expected] = &[
    Expected("kv-read.request-response.handwritten.jsonl", 0, "secret.access", "read", "unknown", &[
        "secret=secret/data/payments/db", "store_kind=vault", "auth_role=ci-payments", "op=read", "ttl_s=900",
        "token_age_s=31", "op_class=vault.read", "prov.actor_id=0e1c8f5e-6a8f-4b63-9a34-2f3f7a3d8a11",
        "prov.token_id=hmac-sha256:77ac19d0e4f14b5f9a0c2d3e4f5061728394a5b6c7d8e9f00112233445566778",
        "prov.token_kind=vault_service", "prov.actor=jwt-ci-payments", "prov.actor_kind=workload", "prov.org=root",
        "prov.repo=github.com/acme/payments", "prov.run_id=25613093674", "prov.ref=refs/heads/main",
        "src.ip=10.20.4.17", "reason=", "event.id=c2a5b2b4-3e0c-4f4f-8c0a-5a5f3f3b1c77:request"]),
    Expected("kv-read.request-response.handwritten.jsonl", 1, "secret.access", "read", "success", &[
        "secret=secret/data/payments/db", "event.id=c2a5b2b4-3e0c-4f4f-8c0a-5a5f3f3b1c77:response",
        "prov.run_id=25613093674", "token_age_s=31"]),
    Expected("kv-read.request-response.handwritten.jsonl", 2, "secret.list", "list", "denied", &[
        "secret=secret/metadata/", "op=list", "src.ip=203.0.113.44", "prov.actor_id=", "prov.token_id=",
        "prov.token_kind="]),
];

#[test]
fn vault_audit() {
    check("vault-audit", VAULT);
}

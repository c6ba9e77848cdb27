//! Audit log of Kubernetes.

use super::{Expected, check};

#[rustfmt::skip]
const KUBERNETES: &[Expected] = &[
    Expected("anonymous_creates_namespace_foo.jsonl", 0, "scm.admin", "namespace.create", "success", &[
        "object=foo", "object_kind=namespaces", "scope=cluster", "prov.actor_id=system:anonymous", "prov.actor_kind=",
        "src.ip=192.168.99.1", "event.id=841d3e6d-90d2-43df-8da4-684738bee3d5:ResponseComplete"]),
    Expected("attach_cluster_admin_role.jsonl", 0, "scm.admin", "cluster_role_binding.create", "success", &[
        "object=some-reader-binding", "subject=minikube", "permission=cluster-admin", "prov.actor_id=minikube-user",
        "scope=cluster"]),
    Expected("attach_pod.jsonl", 0, "identity.use", "exec", "success", &[
        "object=default/nginx-deployment-7998647bdf-phvq7", "op_class=kubernetes.exec", "op=create",
        "prov.actor_id=minikube-user", "event.id=14933b4e-7b09-4964-af09-b7987367e1ba:ResponseStarted"]),
    Expected("create_deployment.jsonl", 0, "deploy.started", "create", "success", &[
        "prov.service=nginx-deployment", "prov.digest=", "op=create", "prov.actor_id=minikube-user", "prov.env="]),
    Expected("create_nginx_pod_privileged.jsonl", 0, "runtime.inventory", "create", "success", &[
        "prov.service=nginx-deployment-5cdcc99dbf-rgw6z", "prov.actor_kind=workload",
        "prov.actor_id=system:serviceaccount:kube-system:replicaset-controller", "src.ip=::1"]),
    Expected("create_secret.jsonl", 0, "secret.admin", "created", "success", &[
        "secret=default/example-secret", "store_kind=kubernetes", "object=default/example-secret", "ua_family=kubectl",
        "prov.actor_id=minikube-user"]),
    Expected("create_service_account_token_secret.jsonl", 0, "secret.admin", "created", "success", &[
        "secret=test2/default-token-7v4pb", "prov.actor_kind=service", "ua_family=kube-controller-manager"]),
    Expected("eks-create-node.as-printed.txt", 0, "identity.use", "create", "success", &[
        "op_class=kubernetes.write", "object=ip-192-001-02-03.ec2.internal", "prov.token_id=EXAMPLEUIDTEST",
        "prov.session=i-12345678901", "prov.actor_kind=service", "src.ip=12.000.22.33", "ua_family=kubelet"]),
    Expected("exec_pod.jsonl", 0, "identity.use", "exec", "success", &[
        "object=default/nginx-deployment-7998647bdf-phvq7", "op_class=kubernetes.exec", "object_kind=pods"]),
];

#[test]
fn kubernetes_audit() {
    check("kubernetes-audit", KUBERNETES);
}

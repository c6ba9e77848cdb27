//! All integration tests in one binary, so that they link once and share the services they start.

mod docs;
mod broker;
mod disorder;
mod kafka_faults;
mod kafka_source;
mod oracle;
mod pack;
mod semantics;

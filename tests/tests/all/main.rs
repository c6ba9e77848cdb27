//! All integration tests in one binary, so that they link once and share the services they start.

mod game_days;
mod broker;
mod corpus_rules;
mod differential;
mod disorder;
mod docs;
mod exit_codes;
mod house;
mod kafka_faults;
mod kafka_source;
mod oracle;
mod pack;
mod redaction;
mod replay;
mod semantics;

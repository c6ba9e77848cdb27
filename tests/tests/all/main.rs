//! All integration tests in one binary, so that they link once and share the services they start.

mod broker;
mod corpus_rules;
mod dead_letter;
mod differential;
mod disorder;
mod docs;
mod exit_codes;
mod game_days;
mod house;
mod kafka_faults;
mod kafka_source;
mod oracle;
mod pack;
mod redaction;
mod redaction_cost;
mod redaction_formats;
mod replay;
mod run_config;
mod run_equality;
mod run_events;
mod run_faults;
mod run_reload;
mod run_restart;
mod run_watch;
mod secrets;
mod semantics;

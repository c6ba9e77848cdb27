//! `pipewarden`: arguments, logs, and which command runs. The work stands in the modules.

mod alerts_file;
mod archive_command;
mod archiving;
mod clock;
mod config;
mod control;
mod dead_letter_command;
mod engine;
mod enrichment;
mod evidence;
mod formats_command;
mod gameday_command;
mod health;
mod http;
mod human;
mod id_reuse;
mod incident_command;
mod incidents_file;
mod judge;
mod keeper;
mod lag;
mod lanes;
mod naming;
mod network_command;
mod objectives;
mod pipeline;
mod query_command;
mod repeating;
mod replay;
mod rule_files;
mod rules_command;
mod ruleset;
mod run;
mod shadow_command;
mod slo_command;
mod state_file;
mod telemetry;
mod told;
mod trace_command;
mod verify_command;
mod why_command;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use mimalloc::MiMalloc;
use tracing_subscriber::EnvFilter;

/// What keyed state holds are many small pieces that come and go: a quarter less time for a whole replay than with the system's.
/// Built so that it asks for no huge pages: a million keys take a sixth less memory without them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Detects compromise of software delivery pipelines as it happens.
///
/// Reads events of CI, registries, secret stores and clouds from Kafka or files, evaluates Sigma rules, and turns what
/// they find into few, deduplicated pages and tickets with evidence.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
struct Cli {
    /// Which log messages go to standard error: error, warn, info, debug (or a filter like `ingest=debug`)
    #[arg(long, global = true, default_value = "warn", value_name = "LEVEL")]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Replay records from files or standard input, and print the alerts
    Replay(Box<replay::ReplayArgs>),
    /// Consume from Kafka, evaluate, and tell alerts
    Run(run::RunArgs),
    /// Check, prove, list and explain rules
    Rules(rules_command::RulesArgs),
    /// List and explain the formats that are read, and try one on records of yours
    Formats(formats_command::FormatsArgs),
    /// Run game days: what fired when, whether it was expected, and how long it took
    Gameday(gameday_command::GamedayArgs),
    /// Make network tables for enrichment
    Network(network_command::NetworkArgs),
    /// List, show and replay records that could not be decoded
    DeadLetter(dead_letter_command::DeadLetterArgs),
    /// Print the chain on which a digest, commit, run or token stands: from the commit to the running workload
    Trace(trace_command::TraceArgs),
    /// List the artifacts, services and runs that a component, an artifact or a token has reached
    Affected(trace_command::AffectedArgs),
    /// List incidents, and print the alerts of one: what holds them together, and who was told of which
    Incident(incident_command::IncidentArgs),
    /// Explain an alert: what fired and when, on which events, where it went and why, what to do next
    Why(Box<why_command::WhyArgs>),
    /// Hold an alert against the bytes of its events, and tell it again from them
    Verify(Box<verify_command::VerifyArgs>),
    /// Check archives, compact them, let old days go
    Archive(archive_command::ArchiveArgs),
    /// Ask an archive in SQL
    Query(query_command::QueryArgs),
    /// Report service level indicators and their objectives
    Slo(slo_command::SloArgs),
    /// What rules on trial would have told
    Shadow(shadow_command::ShadowArgs),
    /// Work with configuration files
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print a completion script for a shell: bash, zsh, fish, elvish, powershell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check a configuration: every problem at once, each with its path and a hint. Exit code 1 when there are any
    Check {
        /// The file
        file: std::path::PathBuf,
    },
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; bad usage is 1 like all bad configuration.
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    if let Err(error) = log(&cli.log) {
        eprintln!("error: --log {}: {error}", cli.log);
        return ExitCode::FAILURE;
    }
    let done = match cli.command {
        Command::Replay(args) => replay::run(*args),
        Command::Run(args) => run::run(&args),
        Command::Rules(args) => rules_command::run(args),
        Command::Formats(args) => formats_command::run(args),
        Command::Gameday(args) => gameday_command::run(args),
        Command::Network(args) => network_command::run(&args),
        Command::DeadLetter(args) => dead_letter_command::run(&args),
        Command::Trace(args) => trace_command::trace(&args),
        Command::Affected(args) => trace_command::affected(&args),
        Command::Incident(args) => incident_command::run(&args),
        Command::Why(args) => why_command::run(*args),
        Command::Verify(args) => verify_command::run(*args),
        Command::Archive(args) => archive_command::run(&args),
        Command::Query(args) => query_command::run(&args),
        Command::Slo(args) => slo_command::run(&args),
        Command::Shadow(args) => shadow_command::run(&args),
        Command::Config { command: ConfigCommand::Check { file } } => run::check(&file),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "pipewarden", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn log(level: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(level)?;
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .without_time()
        .with_target(false)
        .init();
    Ok(())
}

//! `pipewarden archive`: holds an archive against its manifest, puts small files together, lets old days go.
//!
//! Wiring only: what an archive is stands in `slis`. Must never change anything when it verifies.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use serde_json::json;
use slis::archive::{self, Archive};
use slis::definition::Definition;

use crate::keeper::Keeper;
use crate::query_command::{Resources, wait};
use crate::rules_command::print;

/// Rows of contributions that are kept apart; what is more is booked without its repository.
pub(crate) const CONTRIBUTION_ROWS_MAX: usize = 2_000_000;

/// Files with more rows are left as they are.
const COMPACT_ROWS_MAX: u64 = 1_000_000;

/// Exit code where an archive is not what its manifest says.
const NOT_WHOLE: u8 = 2;

/// Check archives, compact them, let old days go.
#[derive(Debug, clap::Args)]
pub struct ArchiveArgs {
    #[command(subcommand)]
    command: ArchiveCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ArchiveCommand {
    /// Hold every file against the manifest, and the manifest against its signatures
    Verify(VerifyArgs),
    /// Put the small files of a day and class into one, and derive contributions anew
    Compact(WriteArgs),
    /// Let go of the days before one, and derive contributions anew
    Expire {
        #[command(flatten)]
        archive: WriteArgs,
        /// The first day that stays, like 2026-09-01
        #[arg(long, value_name = "DAY")]
        before: String,
    },
    /// Print the public half of a signing key, for `archive verify --key`
    PublicKey {
        /// File of the signing key
        key: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 everything is as the manifest says; 1 bad usage, or the manifest's own chain is broken; 2 a file was changed,
removed or added: each is named.")]
struct VerifyArgs {
    /// The archive
    dir: PathBuf,
    /// Every line of the manifest has to be signed by this key (a file: the public half, or the signing key)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A hash that an earlier `verify` printed and somebody kept: the manifest has to go on from it
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct WriteArgs {
    /// The archive
    dir: PathBuf,
    /// Sign the manifest with the key in this file
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Bad usage, or an archive that cannot be read or written.
pub fn run(args: &ArchiveArgs) -> anyhow::Result<ExitCode> {
    match &args.command {
        ArchiveCommand::Verify(args) => verify(args),
        ArchiveCommand::Compact(args) => {
            tidy(args, |archive| Ok(archive.compact(COMPACT_ROWS_MAX)?)).context("compact")
        }
        ArchiveCommand::Expire { archive, before } => {
            let day = format!("{before}T00:00:00Z");
            let hint = || format!("--before {before}: is no day (hint: 2026-09-01)");
            model::Timestamp::parse(&day).filter(|_| before.len() == 10).with_context(hint)?;
            tidy(archive, |of| Ok(of.expire(before)?)).context("expire")
        }
        ArchiveCommand::PublicKey { key } => {
            print(&format!("{}\n", archive::public_text(&archive::signing_key(key)?)))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    is_archive(&args.dir)?;
    let key = args.key.as_deref().map(archive::verifying_key).transpose()?;
    let (manifest, findings) = archive::verify(&args.dir, key.as_ref(), args.head.as_deref())?;
    let (files, rows) = (manifest.files().count(), manifest.files().map(|file| file.rows).sum::<u64>());
    let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
    if args.json {
        let whole = json!({
            "whole": told.is_empty(), "findings": told, "files": files, "rows": rows, "lines": manifest.lines(),
            "signed": manifest.signed(), "head": manifest.head(),
        });
        print(&format!("{whole}\n"))?;
    } else {
        told.iter().try_for_each(|finding| print(&format!("{finding}\n")))?;
        let signed = if args.key.is_some() { ", all signed" } else { "" };
        let lines = manifest.lines();
        print(&format!("{files} files, {rows} rows, {lines} lines{signed}; head {}\n", manifest.head()))?;
    }
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(NOT_WHOLE) })
}

/// There is an archive in the folder.
///
/// # Errors
/// With a hint, where there is none.
pub(crate) fn is_archive(folder: &Path) -> anyhow::Result<()> {
    let why = || format!("{}: is no archive (hint: `pipewarden replay … --archive DIR` writes one)", folder.display());
    folder.join("manifest.jsonl").metadata().map(drop).with_context(why)
}

fn tidy(
    args: &WriteArgs,
    of: impl FnOnce(&mut Archive) -> anyhow::Result<slis::archive::Tidied>,
) -> anyhow::Result<ExitCode> {
    is_archive(&args.dir)?;
    let key = args.key.as_deref().map(archive::signing_key).transpose()?;
    let mut archive = Archive::open(&args.dir, key)?;
    let tidied = of(&mut archive)?;
    if tidied.removed > 0 {
        derive_into(&mut archive)?;
    }
    print(&format!("{} files removed, {} added\n", tidied.removed, tidied.added))?;
    Ok(ExitCode::SUCCESS)
}

/// Contributions of everything that a replay has put into its archive.
///
/// # Errors
/// When the archive cannot be read or written.
pub(crate) fn derive(keeper: &Keeper) -> anyhow::Result<()> {
    keeper.flushed(derive_into)
}

fn derive_into(archive: &mut Archive) -> anyhow::Result<()> {
    let definitions: Arc<[Definition]> = Definition::shipped()?.into();
    let resources = Resources::default();
    let limits = resources.limits();
    let deriving = slis::derive::derive(archive, &limits, definitions, CONTRIBUTION_ROWS_MAX);
    let derived = wait(deriving)?;
    let limit = derived.at_limit;
    if limit.anchors + limit.matches + limit.evidence > 0 {
        tracing::warn!(
            "at the limit: {} anchors decided early, {} matches and {} events forgotten",
            limit.anchors,
            limit.matches,
            limit.evidence
        );
    }
    tracing::info!(
        "{} events, {} rows of contributions, {} anchors wait",
        derived.events,
        derived.rows,
        derived.waiting
    );
    Ok(())
}

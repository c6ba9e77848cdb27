//! `pipewarden network`: network tables made from public dumps.
//!
//! The table goes to standard output, complaints to standard error. Must never fetch anything: whoever may use a dump
//! downloads it.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use ingest::enrich::{HEADER, Import, ImportFormat};

/// Arguments of `pipewarden network`.
#[derive(Debug, Args)]
pub struct NetworkArgs {
    #[command(subcommand)]
    command: NetworkCommand,
}

#[derive(Debug, Subcommand)]
enum NetworkCommand {
    /// Turn public dumps of address data into a network table
    ///
    /// Tables can stand behind one another: each column takes the longest prefix that says something in it.
    #[command(after_help = "\
Formats:
  iptoasn   ip2asn-*.tsv of iptoasn.com: autonomous systems with country
  rir       delegated-* and delegated-*-extended of a registry: countries
  geolite2  GeoLite2 CSV: *-Blocks-*.csv, and for countries *-Locations-en.csv with them
  ipinfo    IPinfo Lite CSV: autonomous systems with country
  dbip      DB-IP Lite CSV: countries, or autonomous systems
  tor       exit list of Tor, or one address a line: proxy tor
  cloud     JSON of a cloud provider's ranges (AWS, Google, Azure …): proxy hosting

Examples:
  zcat ip2asn-combined.tsv.gz | pipewarden network import --from iptoasn - > table.csv
  pipewarden network import --from cloud ip-ranges.json >> table.csv")]
    Import {
        /// What the files are
        #[arg(long, value_name = "FORMAT")]
        from: String,
        /// The files, unpacked; `-` for standard input
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be read or is not what it should be; nothing is written then.
pub fn run(args: &NetworkArgs) -> anyhow::Result<ExitCode> {
    let NetworkCommand::Import { from, files } = &args.command;
    let Some(format) = ImportFormat::by_name(from) else {
        let known = ImportFormat::ALL.map(|(name, _)| name).join(", ");
        bail!("--from {from}: unknown (hint: {known})");
    };
    let mut import = Import::new(format);
    let texts: Vec<(&Path, String)> =
        files.iter().map(|file| Ok((file.as_path(), read(file)?))).collect::<anyhow::Result<_>>()?;
    let wrong = |file: &Path, bad| anyhow::anyhow!("{}: {bad}", file.display());
    for (file, text) in &texts {
        import.learn(text).map_err(|bad| wrong(file, bad))?;
    }
    let mut table = format!("{}\n", HEADER.join(","));
    for (file, text) in &texts {
        import.lines(text, &mut |lines| table.push_str(lines)).map_err(|bad| wrong(file, bad))?;
    }
    let written = std::io::stdout().lock().write_all(table.as_bytes());
    // Whoever reads may have seen enough.
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn read(file: &Path) -> anyhow::Result<String> {
    let hint = || format!("{}: cannot be read (hint: unpacked text in UTF-8)", file.display());
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).with_context(hint)?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(hint)
}

//! Keys and certificates for one broker and one client, made by the `keytool` that comes with the Java that runs the broker.
//!
//! They are good for two days and for 127.0.0.1 alone. Must never be used outside of a test: the password stands here.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Opens the key stores.
pub const PASSWORD: &str = "stable-door";

/// Where the files are.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// The authority that signed the broker's certificate, PEM: what a client trusts.
    pub authority: PathBuf,
    /// The broker's key and certificate, for the address 127.0.0.1, PKCS12.
    pub broker_store: PathBuf,
    /// The client's certificate, which nobody but itself has signed, PEM: what the broker trusts.
    pub client: PathBuf,
    /// The client's key and certificate, PKCS12.
    pub client_store: PathBuf,
}

impl Certificates {
    /// Makes them in a folder.
    ///
    /// # Errors
    /// `keytool` is missing or fails.
    pub fn make(folder: &Path) -> Result<Self> {
        let path = |name: &str| folder.join(name);
        let made = Self {
            authority: path("authority.pem"),
            broker_store: path("broker.p12"),
            client: path("client.pem"),
            client_store: path("client.p12"),
        };
        let authority_store = path("authority.p12");
        key(&authority_store, "authority", &["-ext", "bc:c"])?;
        export(&authority_store, &made.authority)?;
        key(&made.client_store, "client", &[])?;
        export(&made.client_store, &made.client)?;
        key(&made.broker_store, "broker", &[])?;
        let (asked, signed) = (path("broker.csr"), path("broker.pem"));
        keytool(&made.broker_store, &[("-certreq", ""), ("-alias", "key"), ("-file", text(&asked)?)])?;
        let sign = [("-gencert", ""), ("-alias", "key"), ("-infile", text(&asked)?), ("-outfile", text(&signed)?)];
        keytool(
            &authority_store,
            &[&sign[..], &[("-rfc", ""), ("-validity", "2"), ("-ext", "san=ip:127.0.0.1")]].concat(),
        )?;
        for (alias, file) in [("authority", &made.authority), ("key", &signed)] {
            let import = [("-importcert", ""), ("-noprompt", ""), ("-alias", alias), ("-file", text(file)?)];
            keytool(&made.broker_store, &import)?;
        }
        Ok(made)
    }
}

fn key(store: &Path, name: &str, more: &[&str]) -> Result<()> {
    let name = format!("CN={name}");
    let mut words = vec![("-genkeypair", ""), ("-alias", "key"), ("-dname", name.as_str()), ("-validity", "2")];
    words.extend([("-keyalg", "EC"), ("-groupname", "secp256r1"), ("-storetype", "PKCS12")]);
    words.extend(more.chunks_exact(2).map(|pair| (pair[0], pair[1])));
    keytool(store, &words)
}

fn export(store: &Path, file: &Path) -> Result<()> {
    keytool(store, &[("-exportcert", ""), ("-rfc", ""), ("-alias", "key"), ("-file", text(file)?)])
}

/// Options and their values; an empty value is none.
fn keytool(store: &Path, words: &[(&str, &str)]) -> Result<()> {
    let words = words.iter().flat_map(|(option, value)| [*option, *value]).filter(|word| !word.is_empty());
    let mut command = Command::new("keytool");
    command.args(words).args(["-storepass", PASSWORD, "-keystore"]).arg(store);
    let ran = command.output().context("keytool does not start")?;
    ensure!(ran.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ran.stdout).trim());
    Ok(())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is no text")
}

//! `tallyman demo`: a real agent between a pretend scanner and a small receiver (or a real Odoo).

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Failure, process, say};
use crate::agent::enrol::enrol;
use crate::agent::start::start;
use crate::config::{Config, Scanner, Source};
use crate::demo::book::{self, Book};
use crate::demo::console::Console;
use crate::demo::cutter::Cutter;
use crate::demo::labels::{self, Label};
use crate::demo::receiver::Receiver;
use crate::demo::scanner::PretendScanner;
use crate::domain::catalog::Conventions;
use crate::domain::decode::frame::{Framing, Terminator};
use crate::domain::device::Choice;
use crate::domain::policy::Policies;
use crate::domain::visible::visible;
use crate::io::entropy;
use crate::io::http::HttpConfig;
use crate::io::photos::PhotoConfig;
use crate::io::serial::SerialConfig;
use crate::telemetry;
use crate::wire::catalog_v1::CatalogV1;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Port of the touch page
    #[arg(long, default_value_t = 8640)]
    page_port: u16,
    /// Port of the console
    #[arg(long, default_value_t = 8650)]
    console_port: u16,
    /// Report to this Odoo (http on this machine) instead of the embedded receiver; needs --code
    #[arg(long, value_name = "HOST:PORT", requires = "code")]
    odoo: Option<SocketAddr>,
    /// The one-time enrolment code of that Odoo
    #[arg(long)]
    code: Option<String>,
    /// What the device knows offline, instead of the demo's own little warehouse
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    telemetry::start_quietly();
    process::block_on(demo(args))
}

async fn demo(args: &Args) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    process::stop_on_signal(&stop)?;
    let folder = StateFolder::create()?;
    let catalog = catalog(args.catalog.as_deref(), &folder.0)?;
    let scanner = PretendScanner::plug_in()?;
    let config = config(args, &folder.0, &scanner);

    let (receiver, target, code) = receiver(args, &stop).await?;
    let cutter = Cutter::new();
    let line = listen(0).await?;
    let url = format!("http://{}", line.local_addr()?);
    tokio::spawn(cutter.clone().serve(line, target, stop.clone()));
    let identity = enrol(&config, &url, &code).await.map_err(Failure::other)?.identity;
    let agent = start(config, stop.clone()).await?;

    let listener = listen(args.console_port).await?;
    let host = listener.local_addr()?.to_string();
    let console = Arc::new(Console {
        labels: labels::of(&catalog),
        scanner,
        cutter,
        receiver,
        page: format!("http://{}/", agent.page),
        odoo: args.odoo.map(|odoo| format!("http://{odoo}/odoo/action-warehouse_exception.case_action")),
        host,
    });
    tokio::spawn(console.clone().serve(listener, stop.clone()));
    say(&greeting(&console, &identity.name))?;
    tokio::spawn(terminal(console, stop.clone()));
    Ok(agent.finished().await?)
}

/// The demo's state, gone with it: every demo starts from nothing.
struct StateFolder(PathBuf);

impl StateFolder {
    fn create() -> Result<StateFolder, Failure> {
        let name = format!("tallyman-demo-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).map_err(|error| Failure::other(format!("{}: {error}", folder.display())))?;
        Ok(StateFolder(folder))
    }
}

impl Drop for StateFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The catalog that the labels come from, also written where the agent reads it.
fn catalog(file: Option<&Path>, folder: &Path) -> Result<CatalogV1, Failure> {
    let catalog = match file {
        None => labels::catalog(),
        Some(path) => {
            let text = std::fs::read(path).map_err(|error| Failure::other(format!("{}: {error}", path.display())))?;
            serde_json::from_slice(&text).map_err(|error| Failure::other(format!("{}: {error}", path.display())))?
        }
    };
    let text = serde_json::to_vec_pretty(&catalog).map_err(Failure::other)?;
    std::fs::write(folder.join("catalog.json"), text)?;
    Ok(catalog)
}

fn config(args: &Args, folder: &Path, scanner: &PretendScanner) -> Config {
    Config {
        state_dir: folder.to_owned(),
        // Everything here is on the loopback address of this machine.
        http: HttpConfig { allow_plain_http: true, ..HttpConfig::default() },
        retry_max: Duration::from_secs(5),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, args.page_port)),
        catalog: Some(folder.join("catalog.json")),
        conventions: Conventions::default(),
        scanners: vec![Scanner {
            name: "pretend".to_owned(),
            source: Source::Serial(SerialConfig::new(
                Choice::Path(scanner.path().to_owned()),
                Framing::ended_by(Terminator::Line),
            )),
            rewrite: Arc::default(),
        }],
        photos: PhotoConfig::default(),
        policies: Policies::default(),
    }
}

/// Who receives, where, and with which code a device enrols there.
async fn receiver(args: &Args, stop: &CancellationToken) -> Result<(Option<Receiver>, SocketAddr, String), Failure> {
    if let (Some(odoo), Some(code)) = (args.odoo, &args.code) {
        return Ok((None, odoo, code.clone()));
    }
    let code = book::code(entropy::bytes()?);
    let database = uuid::Builder::from_random_bytes(entropy::bytes()?).into_uuid();
    let receiver = Receiver::new(Book::new(format!("urn:uuid:{database}"), code.clone()));
    let listener = listen(0).await?;
    let target = listener.local_addr()?;
    tokio::spawn(receiver.clone().serve(listener, stop.clone()));
    Ok((Some(receiver), target, code))
}

async fn listen(port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        Failure::other(format!("port {port} of this machine can't be used: {error}. See tallyman demo --help"))
    })
}

fn greeting(console: &Console, device: &str) -> String {
    let mut lines = vec![
        format!("Tallyman demo, device {device}. Everything runs on this machine alone."),
        String::new(),
        format!("  console     http://{}/    fire labels, cut the network, see the cases", console.host),
        format!("  touch page  {}", console.page),
    ];
    if let Some(odoo) = &console.odoo {
        lines.push(format!("  Odoo        {odoo}"));
    }
    lines.extend([
        String::new(),
        "Or here: a number fires that label, any other text is fired as it is, n cuts or connects".to_owned(),
        "the network, l lists the labels, q quits.".to_owned(),
        String::new(),
    ]);
    lines.push(label_list(&console.labels));
    lines.join("\n")
}

fn label_list(labels: &[Label]) -> String {
    let line = |(n, label): (usize, &Label)| {
        format!("{:>4}  {:<22} {}", n + 1, visible(&label.code), label.caption).trim_end().to_owned()
    };
    labels.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// The terminal as a trigger. Its end (no terminal at all, or Ctrl-D) leaves the demo running.
async fn terminal(console: Arc<Console>, stop: CancellationToken) {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let said = match line.trim() {
            "" => continue,
            "q" => {
                stop.cancel();
                return;
            }
            "l" => label_list(&console.labels),
            "n" => {
                let connected = !console.cutter.is_connected();
                console.cutter.connect(connected);
                (if connected { "network connected" } else { "network cut" }).to_owned()
            }
            text => fire(&console, text),
        };
        if say(&said).is_err() {
            return;
        }
    }
}

fn fire(console: &Console, text: &str) -> String {
    let by_number = text.parse::<usize>().ok().and_then(|n| console.labels.get(n.wrapping_sub(1)));
    let code = by_number.map_or(text, |label| &label.code);
    match console.scanner.fire(code) {
        Ok(()) => format!("fired {}", visible(code)),
        Err(error) => format!("the pretend scanner failed: {error}"),
    }
}

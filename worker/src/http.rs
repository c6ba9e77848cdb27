//! Health, readiness and metrics over HTTP, on loopback, on a thread of its own.
//!
//! Reads what the worker published and changes nothing; a slow client never slows the pipeline.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Context;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use prometheus::{Encoder, Registry, TextEncoder};
use tokio::signal::unix::{SignalKind, signal};

/// What the worker publishes.
#[derive(Debug, Default)]
pub struct Published {
    /// The metrics.
    pub registry: Registry,
    /// Partitions are assigned, the outlets work, and the broker takes commits.
    pub ready: AtomicBool,
    /// The worker has begun to read.
    pub started: AtomicBool,
    /// Time of the last tick, milliseconds; 0 before the first.
    pub last_tick_ms: AtomicI64,
    /// The release throttle's decision, as JSON; None: no objective has been judged.
    pub throttle: Mutex<Option<String>>,
    /// Somebody asked the worker to stop.
    pub stop: AtomicBool,
    /// Somebody asked the worker to read its rules and lists again.
    pub reload: AtomicBool,
}

/// A loop that has not ticked for this long hangs.
const HUNG_AFTER_MS: i64 = 60_000;

/// Starts the thread that listens for signals and, where asked, serves HTTP.
///
/// # Errors
/// When the address cannot be bound.
pub fn start(address: Option<SocketAddr>, published: Arc<Published>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let listener = match address {
        None => None,
        Some(address) => {
            let bound = runtime.block_on(tokio::net::TcpListener::bind(address));
            Some(bound.with_context(|| format!("http: {address} cannot be bound (hint: another port)"))?)
        }
    };
    // Registered before anything else happens: unheard, this signal would end the process.
    let mut hangups = {
        let _inside = runtime.enter();
        signal(SignalKind::hangup())?
    };
    let thread = std::thread::Builder::new().name("http".to_owned());
    thread.spawn(move || {
        runtime.block_on(async move {
            let served = published.clone();
            let asked = published.clone();
            tokio::spawn(async move {
                while hangups.recv().await.is_some() {
                    asked.reload.store(true, Ordering::Relaxed);
                }
            });
            if let Some(listener) = listener {
                tokio::spawn(async move { axum::serve(listener, router(served)).await });
            }
            stop_signal().await;
            if !published.started.load(Ordering::Relaxed) {
                // Nothing has been read yet, and the broker may never answer.
                std::process::exit(0);
            }
            published.stop.store(true, Ordering::Relaxed);
            std::future::pending::<()>().await;
        });
    })?;
    Ok(())
}

async fn stop_signal() {
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

fn router(published: Arc<Published>) -> Router {
    let (ready, health, metrics, throttle) = (published.clone(), published.clone(), published.clone(), published);
    Router::new()
        .route("/readyz", get(async move || answer(ready.ready.load(Ordering::Relaxed), "ready", "not ready")))
        .route("/healthz", get(async move || answer(is_alive(&health), "ok", "the worker does not tick")))
        .route("/throttle", get(async move || decision(&throttle)))
        .route("/metrics", get(async move || scrape(&metrics.registry)))
}

fn decision(published: &Published) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    let known = published.throttle.lock().ok().and_then(|decision| decision.clone());
    let none = || r#"{"error":"no objective has been judged yet (hint: objectives, in the configuration)"}"#.to_owned();
    let status = if known.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    (status, [("content-type", "application/json")], known.unwrap_or_else(none))
}

fn is_alive(published: &Published) -> bool {
    let last = published.last_tick_ms.load(Ordering::Relaxed);
    last == 0 || crate::clock::now().ms() - last < HUNG_AFTER_MS
}

fn answer(good: bool, yes: &'static str, no: &'static str) -> (StatusCode, &'static str) {
    if good { (StatusCode::OK, yes) } else { (StatusCode::SERVICE_UNAVAILABLE, no) }
}

fn scrape(registry: &Registry) -> (StatusCode, [(&'static str, &'static str); 1], Vec<u8>) {
    let mut text = Vec::new();
    let encoded = TextEncoder::new().encode(&registry.gather(), &mut text);
    let status = if encoded.is_ok() { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
    (status, [("content-type", "text/plain; version=0.0.4")], text)
}

//! The line to Odoo: at most one request under way, made by a task, answered through a channel.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc;

use super::station::Signer;
use crate::config::Config;
use crate::domain::evidence::Piece;
use crate::domain::forward::Answer;
use crate::domain::id::{DeviceId, Sequence};
use crate::domain::outbox::Outbox;
use crate::domain::time::Wall;
use crate::io::entropy;
use crate::io::http::{HttpConfig, OdooClient};
use crate::io::keys::{DeviceKey, Identity};
use crate::io::photos::{Photos, ReadError};
use crate::io::store::{Store, StoreError};

/// What a task of the line tells the loop.
pub(super) enum FromLine {
    /// The bytes of the events that are to be sent.
    Read(Vec<(Sequence, Result<String, StoreError>)>),
    Answer(Answer),
}

struct Enrolled {
    device: DeviceId,
    identity: Identity,
    key: DeviceKey,
    client: OdooClient,
}

pub(super) struct Line {
    folder: PathBuf,
    http: HttpConfig,
    photos: Photos,
    enrolled: Option<Enrolled>,
    /// Why it isn't, when it should be.
    damage: Option<String>,
    replies: (mpsc::Sender<FromLine>, mpsc::Receiver<FromLine>),
}

impl Line {
    pub(super) fn new(config: &Config, photos: Photos) -> Line {
        let mut line = Line {
            folder: config.state_dir.clone(),
            http: config.http.clone(),
            photos,
            enrolled: None,
            damage: None,
            replies: mpsc::channel(4),
        };
        if let Err(why) = line.reload() {
            tracing::error!(why, "this device can't report to Odoo");
        }
        line
    }

    /// Reads key and identity again. True when this device is enrolled.
    pub(super) fn reload(&mut self) -> Result<bool, String> {
        let enrolled = self.read_identity();
        self.damage = enrolled.as_ref().err().cloned();
        enrolled
    }

    fn read_identity(&mut self) -> Result<bool, String> {
        let text = |error: &dyn std::error::Error| error.to_string();
        let identity = Identity::load(&self.folder).map_err(|error| text(&error))?;
        let key = DeviceKey::load(&self.folder).map_err(|error| text(&error))?;
        let (Some(identity), Some(key)) = (identity, key) else { return Ok(false) };
        if identity.kid != key.kid() {
            return Err("the device's key isn't the one that was enrolled: enrol it again".to_owned());
        }
        let client = OdooClient::new(&identity.url, &self.http).map_err(|error| text(&error))?;
        let device = identity.device_id().ok_or("this device's identity is damaged: enrol it again")?;
        tracing::info!(device = identity.device, name = identity.name, url = identity.url, "enrolled");
        self.enrolled = Some(Enrolled { device, identity, key, client });
        Ok(true)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn is_enrolled(&self) -> bool {
        self.enrolled.is_some()
    }

    /// Why this device, which was enrolled, can't report.
    pub(super) fn damage(&self) -> Option<&str> {
        self.damage.as_deref().filter(|_| !self.is_enrolled())
    }

    pub(super) fn signer(&self) -> Option<Signer<'_>> {
        let enrolled = self.enrolled.as_ref()?;
        Some(Signer { device: enrolled.device, key: &enrolled.key })
    }

    pub(super) async fn next(&mut self) -> Option<FromLine> {
        self.replies.1.recv().await
    }

    /// Reads events back; their bytes come through [`Self::next`].
    pub(super) fn read(&self, store: &Store, sequences: Vec<Sequence>) {
        let read = store.read(sequences);
        let reply = self.replies.0.clone();
        tokio::spawn(async move {
            let said = match read.await {
                Ok(events) => FromLine::Read(events),
                Err(_) => local("the store is busy or has stopped"),
            };
            let _ = reply.send(said).await;
        });
    }

    /// Sends a piece of a photo, or asks how much of it is there; the answer comes through [`Self::next`].
    pub(super) fn upload(&self, piece: Piece, outbox: &Outbox, wall: Wall) {
        let Piece { digest, offset, length } = piece;
        let Some(offset) = offset else {
            return self.task(wall, async move |client, token| client.ask_photo(&token, digest).await);
        };
        let photo = outbox.upload(digest).map(|upload| upload.photo.clone());
        let photos = self.photos.clone();
        self.task(wall, async move |client, token| {
            let Some(photo) = photo else { return local_answer("the photo is no longer wanted") };
            let read = tokio::task::spawn_blocking({
                let photo = photo.clone();
                move || photos.piece(&photo, offset, length)
            });
            match read.await {
                Ok(Ok(piece)) => client.send_photo(&token, &photo, offset, piece).await,
                Ok(Err(ReadError::Lost(why))) => Answer::PhotoLost { why },
                Ok(Err(error @ ReadError::Io(_))) => local_answer(&error.to_string()),
                Err(error) => local_answer(&error.to_string()),
            }
        });
    }

    pub(super) fn send_events(&self, events: Vec<String>, wall: Wall) {
        self.task(wall, async move |client, token| client.send_events(&token, events).await);
    }

    fn task<F>(&self, wall: Wall, call: impl FnOnce(OdooClient, String) -> F + Send + 'static)
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let reply = self.replies.0.clone();
        let prepared = self.enrolled.as_ref().and_then(|enrolled| {
            let id = uuid::Builder::from_random_bytes(entropy::bytes().ok()?).into_uuid();
            Some((enrolled.client.clone(), enrolled.key.request_token(&enrolled.identity, wall, id)))
        });
        tokio::spawn(async move {
            let answer = match prepared {
                Some((client, token)) => whatever_happens(call(client, token)).await,
                None => local_answer("this device is not enrolled"),
            };
            let _ = reply.send(FromLine::Answer(answer)).await;
        });
    }
}

/// The answer, also when the call panics: without one, the queue would wait for it for ever.
async fn whatever_happens(call: impl Future<Output = Answer> + Send + 'static) -> Answer {
    let answered = tokio::spawn(call).await;
    answered.unwrap_or_else(|error| local_answer(&format!("a defect of this program: {error}")))
}

fn local(detail: &str) -> FromLine {
    FromLine::Answer(local_answer(detail))
}

fn local_answer(detail: &str) -> Answer {
    Answer::Local { detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_call_that_panics_is_answered_and_can_be_tried_again() {
        let answer = whatever_happens(async { panic!("as a library may") }).await;
        assert!(matches!(answer, Answer::Local { detail } if detail.contains("defect")));
    }
}

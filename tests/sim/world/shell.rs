//! What an agent's tasks do around the station: a person's hands, the committer's thread, the line.

use super::*;

/// What comes of an answer on the line as it is. On a slow one time passes before it is heard, and beyond the client's patience it
/// isn't.
fn on_the_line(weather: Weather, answer: Answer, moods: &mut Option<fastrand::Rng>, took: &mut Duration) -> Answer {
    let Some(moods) = moods.as_mut().filter(|_| weather == Weather::Slow) else { return answer };
    let long = Duration::from_millis(moods.u64(..90_000));
    *took = long.min(PATIENCE);
    if long < PATIENCE { answer } else { gone(Unreachable::Timeout) }
}

impl World<'_> {
    pub(super) fn person(&mut self) {
        let turn = self.turn();
        let Some(device) = &mut self.device else { return };
        if device.station.is_saving() {
            return;
        }
        let Some(hand) = self.script.pop_front() else {
            return self.begin_report();
        };
        let input = match hand {
            Hand::Scan(code) => {
                let source = self.scanned.len().to_string();
                self.scanned.push(self.clocks.truth());
                self.clocks.step_between_scans();
                Input::Scan(decode(RawScan::new(&source, code.as_bytes(), turn.now)))
            }
            Hand::Photo => {
                let bytes: Vec<u8> = std::iter::repeat_with(|| self.rng.u8(..)).take(300).collect();
                let digest = Digest::of(&bytes);
                self.photos.insert(digest, bytes);
                Input::Photo(Photo { digest, size: 300, media_type: MediaType::Jpeg })
            }
        };
        let signer = Signer { device: self.fixtures.device, key: &self.fixtures.key };
        device.station.input(input, turn, Some(signer));
        self.execute();
        // Slower than the cooldown, as a hand is.
        self.pass(Duration::from_secs(2));
    }

    pub(super) fn begin_report(&mut self) {
        let place = self.rng.u8(1..5);
        let codes = ["EMP-7".to_owned(), format!("WH/OUT/{place}"), format!("LOC-{place}"), "TM-EMPTY".to_owned()];
        self.script.extend(codes.into_iter().map(Hand::Scan));
        let photos = self.rng.u8(..4).saturating_sub(1);
        self.script.extend((0..photos).map(|_| Hand::Photo));
        self.script.push_back(Hand::Scan("TM-DONE".to_owned()));
    }

    pub(super) fn committer_turns(&mut self) {
        let Some(device) = &mut self.device else { return };
        let mut group = Vec::new();
        while let Some(request) = device.queue.pop_front() {
            match request {
                Request::Append(append) => group.push(append),
                Request::Read(sequences) => {
                    device.committer.commit(&mut group);
                    let read = sequences.into_iter().map(|sequence| (sequence, device.committer.read(sequence)));
                    device.read = Some(read.collect());
                }
                Request::Settled(sequences) => {
                    device.committer.commit(&mut group);
                    device.committer.settled(&sequences);
                }
            }
        }
        device.committer.commit(&mut group);
        let photos = &mut self.photos;
        device.forgetting.retain_mut(|(digest, durable)| match durable.try_recv() {
            Err(oneshot::error::TryRecvError::Empty) => true,
            Ok(Ok(())) => {
                photos.remove(digest);
                false
            }
            Ok(Err(_)) | Err(oneshot::error::TryRecvError::Closed) => false,
        });
    }

    /// The loop hears one of those that have something to say.
    pub(super) fn hear(&mut self) {
        let turn = self.turn();
        let Some(device) = &mut self.device else { return };
        if let Some(result) = device.saved.as_mut().and_then(|saved| saved.try_recv().ok()) {
            device.saved = None;
            device.station.saved(result, turn);
        } else if let Some(read) = device.read.take() {
            device.station.read(read, turn);
        } else if let Some(answer) = device.answer.take() {
            device.station.answered(answer, turn);
        }
        self.execute();
    }

    pub(super) fn send(&mut self) {
        let now = self.turn().now;
        if let Some(device) = &mut self.device {
            device.station.send_what_is_due(now);
            self.execute();
        }
    }

    pub(super) fn execute(&mut self) {
        let Some(device) = &mut self.device else { return };
        let mut took = Duration::ZERO;
        for deed in device.station.take_deeds() {
            match deed {
                Deed::Save { record, entry } => {
                    self.told_times.judge(&record, self.clocks.truth(), &self.scanned);
                    let (done, wait) = oneshot::channel();
                    self.saving = Some(entry.clone());
                    device.queue.push_back(Request::Append(Append { record, entry: Some(Box::new(entry)), done }));
                    device.saved = Some(wait);
                }
                Deed::Note { record, entry } => {
                    if let (Record::Parked { code, .. }, Some(entry)) = (&record, &entry) {
                        let rightly = if code == "unreadable" { self.damaged } else { is_poisonous(entry.digest) };
                        assert!(rightly, "sequence {} is parked for nothing: {code}", entry.sequence.0);
                    }
                    let (done, _) = oneshot::channel();
                    device.queue.push_back(Request::Append(Append { record, entry: entry.map(Box::new), done }));
                }
                Deed::Settled(sequences) => device.queue.push_back(Request::Settled(sequences)),
                Deed::ForgetPhoto { record, digest } => {
                    assert!(self.net.has_photo(digest), "a photo is to be let go that isn't in Odoo");
                    let (done, wait) = oneshot::channel();
                    device.queue.push_back(Request::Append(Append { record, entry: None, done }));
                    device.forgetting.push((digest, wait));
                }
                Deed::Tell(Feedback::Saved { .. }) => {
                    let entry = self.saving.take().expect("a beep for nothing");
                    self.beeped.push(entry);
                }
                Deed::Tell(Feedback::Refused { .. }) => {
                    self.refused.extend(self.saving.take().map(|entry| entry.digest))
                }
                Deed::Tell(_) => {}
                Deed::Read(sequences) => device.queue.push_back(Request::Read(sequences)),
                Deed::Send { events, wall } => {
                    let answer = self.net.send(&events, wall, self.clocks.truth(), &mut self.rng);
                    device.answer = Some(on_the_line(self.net.weather, answer, &mut self.moods, &mut took));
                }
                Deed::Upload { piece, .. } => {
                    let lost = || Answer::PhotoLost { why: "its file is gone".to_owned() };
                    let answer = self.photos.get(&piece.digest).map(|bytes| self.net.upload(piece, bytes));
                    // Damage may have taken the record that it is in Odoo.
                    assert!(answer.is_some() || self.damaged, "a photo that a report names is gone");
                    let answer = answer.unwrap_or_else(lost);
                    device.answer = Some(on_the_line(self.net.weather, answer, &mut self.moods, &mut took));
                }
                Deed::SetPhotoAside(digest) => {
                    assert!(self.damaged, "{digest} was given up, and nothing is wrong with it")
                }
            }
        }
        self.pass(took);
    }
}

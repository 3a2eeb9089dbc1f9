//! `queue export`: what Odoo doesn't have, in a file that says the truth about itself.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;
use tallyman::domain::id::Digest;
use tallyman::io::keys::DeviceKey;
use tallyman::wire::bundle_v1::ManifestV1;
use tallyman::wire::jws;

use crate::receiver::{Counterpart, enrolled};
use crate::support::proxy::{Fault, Proxy};
use crate::support::{Device, files, images, tree, until};

struct Bundle {
    events: Vec<String>,
    photos: BTreeMap<String, Vec<u8>>,
    manifest: ManifestV1,
}

/// Reads a bundle as Odoo does: nothing of it counts before the device's own signature fits what is inside.
fn open(path: &Path, device: &Device) -> Bundle {
    let bytes = fs::read(path).unwrap();
    let mut archive = tar::Archive::new(&bytes[..]);
    let mut members = vec![];
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        assert_eq!(&entry.header().as_bytes()[257..265], b"ustar\x0000");
        let (name, mut content) = (entry.path().unwrap().to_str().unwrap().to_owned(), vec![]);
        entry.read_to_end(&mut content).unwrap();
        members.push((name, content));
    }
    let (name, manifest) = members.pop().unwrap();
    assert_eq!(name, "manifest.jws");
    let key = DeviceKey::load(&device.state()).unwrap().unwrap();
    let verified = jws::verify(std::str::from_utf8(&manifest).unwrap(), jws::BUNDLE, |kid| {
        (kid == key.kid()).then(|| key.verifying_key())
    });
    let manifest: ManifestV1 = serde_json::from_slice(&verified.unwrap().payload).unwrap();
    let (name, lines) = members.remove(0);
    assert_eq!((name.as_str(), Digest::of(&lines).to_string()), ("events.jws", manifest.events.sha256.clone()));
    assert_eq!(lines.len() as u64, manifest.events.size);
    let events: Vec<String> = String::from_utf8(lines).unwrap().lines().map(ToOwned::to_owned).collect();
    assert_eq!(events.len() as u64, manifest.events.count);
    let photos: BTreeMap<_, _> =
        members.into_iter().map(|(name, bytes)| (name.strip_prefix("photos/").unwrap().to_owned(), bytes)).collect();
    let listed: BTreeMap<_, _> = manifest.photos.iter().map(|photo| (photo.sha256.clone(), photo.size)).collect();
    let inside = photos.iter().map(|(name, bytes)| (name.clone(), bytes.len() as u64)).collect();
    assert_eq!(listed, inside);
    assert!(photos.iter().all(|(name, bytes)| Digest::of(bytes).to_string() == *name));
    Bundle { events, photos, manifest }
}

fn ids(bundle: &Bundle) -> Vec<String> {
    let payload = |event: &String| serde_json::from_slice::<Value>(&jws::payload(event).unwrap()).unwrap();
    bundle.events.iter().map(|event| payload(event)["id"].as_str().unwrap().to_owned()).collect()
}

/// A device whose line is cut, with a stick.
struct Hall {
    odoo: Counterpart,
    line: Proxy,
    device: Device,
    stick: tempfile::TempDir,
}

fn hall() -> Hall {
    let odoo = Counterpart::start();
    let line = Proxy::before(odoo.address);
    let mut device = enrolled(&line.url());
    line.set(Fault::Refuse);
    device.start();
    device.scan(&["EMP-7"]);
    Hall { odoo, line, device, stick: tempfile::tempdir().unwrap() }
}

impl Hall {
    fn report(&self, photo: Option<Vec<u8>>) {
        let before = self.device.beeped().len();
        self.device.scan(&["A-03-02", "TM-EMPTY"]);
        if let Some(photo) = photo {
            until("DONE to be on", || self.device.page().html().contains("data-question=\"done\"").then_some(()));
            assert!(self.device.page().photo(photo).status().is_success());
        }
        self.device.scan(&["TM-DONE"]);
        until("the beep", || (self.device.beeped().len() > before).then_some(()));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.stick.path().join(name)
    }

    fn export(&self, name: &str, more: &[&str]) -> Output {
        self.device.tallyman(&[&["queue", "export", &self.file(name).to_string_lossy()], more].concat())
    }
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_running_and_a_stopped_device_export_the_same_and_mark_nothing_as_sent() {
    let mut hall = hall();
    hall.report(Some(images::jpeg(900, 700, 3)));
    hall.report(None);
    let running = hall.export("running.tar", &[]);
    assert_eq!(running.status.code(), Some(0), "{}", words(&running));
    assert!(words(&running).contains("2 report(s) and 1 photo(s)"), "{}", words(&running));
    assert!(words(&running).contains("Exceptions > Devices > Import a bundle"));
    let bundle = open(&hall.file("running.tar"), &hall.device);
    assert_eq!(ids(&bundle), hall.device.beeped());
    assert_eq!(bundle.photos.len(), 1);
    assert_eq!(bundle.manifest.first.as_deref(), Some("00000000000000000001"));
    assert_eq!(bundle.manifest.last.as_deref(), Some("00000000000000000002"));

    hall.device.stop();
    let before = tree(&hall.device.state());
    let stopped = hall.export("stopped.tar", &[]);
    assert_eq!(stopped.status.code(), Some(0), "{}", words(&stopped));
    assert_eq!(tree(&hall.device.state()), before, "an export changes nothing on the device");
    let again = open(&hall.file("stopped.tar"), &hall.device);
    assert_eq!((again.events, again.photos), (bundle.events, bundle.photos));
    assert_eq!(files(hall.stick.path()).len(), 2, "nothing else is left on the stick");

    hall.device.start();
    assert_eq!(hall.device.status()["pending"], 2);
    hall.line.set(Fault::None);
    hall.device.until_status("the backlog to drain", |status| status["delivered"] == 2);
    assert_eq!(hall.odoo.cases().len(), 2);
}

#[test]
fn nothing_that_waits_is_said_and_makes_no_file() {
    let hall = hall();
    let output = hall.export("b.tar", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    assert!(words(&output).contains("Nothing waits"), "{}", words(&output));
    assert!(files(hall.stick.path()).is_empty());
}

#[test]
fn a_file_that_is_there_is_not_overwritten_and_a_wrong_place_is_named() {
    let hall = hall();
    hall.report(None);
    fs::write(hall.file("b.tar"), "an older bundle").unwrap();
    let output = hall.export("b.tar", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(words(&output).contains("not overwritten"), "{}", words(&output));
    assert_eq!(fs::read_to_string(hall.file("b.tar")).unwrap(), "an older bundle");
    let output = hall.export("no/such/folder.tar", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(words(&output).contains("its folder is not there"), "{}", words(&output));
    assert_eq!(files(hall.stick.path()), ["b.tar"]);
    assert_eq!(hall.device.status()["pending"], 1);
}

#[test]
fn a_photo_that_is_gone_or_damaged_is_left_out_and_told_and_stops_nothing() {
    let hall = hall();
    for seed in 1..=3 {
        hall.report(Some(images::jpeg(300, 200, seed)));
    }
    let photos = hall.device.state().join("photos");
    let mut names = files(&photos);
    names.sort();
    fs::remove_file(photos.join(&names[0])).unwrap();
    let mut damaged = fs::read(photos.join(&names[1])).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(photos.join(&names[1]), damaged).unwrap();
    let output = hall.export("b.tar", &[]);
    assert_eq!(output.status.code(), Some(3), "{}", words(&output));
    let said = words(&output);
    assert!(said.contains(&format!("photo {} of report", names[0])) && said.contains("is missing"), "{said}");
    assert!(said.contains(&format!("photo {} of report", names[1])) && said.contains("is damaged"), "{said}");
    let bundle = open(&hall.file("b.tar"), &hall.device);
    assert_eq!((bundle.events.len(), bundle.photos.into_keys().collect::<Vec<_>>()), (3, vec![names[2].clone()]));
}

#[test]
fn several_files_are_bundles_of_their_own() {
    let mut hall = hall();
    for seed in 1..=4 {
        hall.report(Some(noise(seed)));
    }
    for agent in ["running", "stopped"] {
        if agent == "stopped" {
            hall.device.stop();
        }
        let output = hall.export(agent, &["--split", "1MB"]);
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
        let mut names: Vec<_> = files(hall.stick.path()).into_iter().filter(|name| name.starts_with(agent)).collect();
        names.sort();
        assert!(names.len() > 1, "{names:?}");
        assert_eq!(names[..2], [agent.to_owned(), format!("{agent}.2")]);
        let bundles: Vec<_> = names.iter().map(|name| open(&hall.file(name), &hall.device)).collect();
        assert!(names.iter().all(|name| fs::metadata(hall.file(name)).unwrap().len() <= 1_000_000));
        assert_eq!(bundles.iter().flat_map(ids).collect::<Vec<_>>(), hall.device.beeped());
        assert_eq!(bundles.iter().map(|bundle| bundle.photos.len()).sum::<usize>(), 4);
    }
    // One of the names is taken: none is written.
    fs::write(hall.file("again.2"), "taken").unwrap();
    let output = hall.export("again", &["--split", "1MB"]);
    assert_eq!(output.status.code(), Some(1), "{}", words(&output));
    assert!(!hall.file("again").exists());
}

/// A photo of half a megabyte as it is stored: noise doesn't get smaller.
fn noise(seed: u64) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let picture = image::ImageBuffer::from_fn(1024, 768, |_, _| image::Rgb([rng.u8(..), rng.u8(..), rng.u8(..)]));
    let mut bytes = vec![];
    picture.write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Jpeg).unwrap();
    bytes
}

#[test]
fn a_device_without_identity_has_nothing_to_export() {
    let device = Device::new("");
    let output = device.tallyman(&["queue", "export", &device.folder.path().join("b.tar").to_string_lossy()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(words(&output).contains("not enrolled"), "{}", words(&output));
}

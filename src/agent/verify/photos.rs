//! The photos that Odoo doesn't have: each is there, and is what its name says.

use std::fs::File;
use std::io;
use std::path::Path;

use super::Found;
use crate::agent::hashed;
use crate::domain::bundle;
use crate::domain::outbox::Outbox;
use crate::wire::verify_v1::FindingV1;

pub(super) fn look(folder: &Path, outbox: &Outbox, found: &mut Found) -> io::Result<()> {
    let unsent = bundle::unsent(outbox);
    for (sequence, photo) in bundle::parts(&unsent, None).iter().flat_map(|part| &part.photos) {
        let read = File::open(folder.join(photo.digest.to_string()))
            .and_then(|mut file| hashed::read(&mut file, photo.size, |_| Ok(())));
        let wrong = match read {
            Ok(is) if is == (photo.size, photo.digest) => None,
            Ok(_) => Some("is damaged".to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some("is missing".to_owned()),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            Err(error) => Some(format!("can't be read ({error})")),
        };
        found.checked.photos += 1;
        if let Some(wrong) = wrong {
            found.findings.add(FindingV1 {
                place: "photo",
                report: Some(sequence.0),
                what: format!("its photo {} {wrong}", photo.digest),
                kept: "the report, and its other photos",
                to_do: "take the photo again and add it to the case in Odoo, which shows that it is missing",
            });
        }
    }
    Ok(())
}

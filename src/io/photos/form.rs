//! A photo's stored form: upright, at most so large, a baseline JPEG in sRGB, and nothing in it but pixels.
//!
//! Where and with what a picture was taken (EXIF, GPS, XMP, maker notes, previews) never reaches the disk: the picture is
//! decoded and encoded anew, so nothing is carried over that this code doesn't know. The same bytes always give the same
//! form, so a photo that is sent twice is kept once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::picture::Picture;
use super::shrink::shrink_and_turn;
use super::{MAX_STORED, MAX_UPLOAD, PhotoConfig, PhotoError, colour, decode};

/// Tried in turn when a picture at the site's own quality is more than the server takes.
const LOWER_QUALITIES: [u8; 2] = [70, 50];

/// Makes the stored form of an uploaded photo. Takes the upload, so that its memory is free again while pixels are worked
/// on. Blocks for some tenths of a second.
///
/// # Errors
/// When `upload` is no photo, or not a whole one, or larger than this device can work on.
pub fn stored_form(upload: Vec<u8>, config: &PhotoConfig) -> Result<Vec<u8>, PhotoError> {
    if upload.len() > MAX_UPLOAD {
        return Err(PhotoError::TooLarge);
    }
    // Decoders read what anyone may have made. One that panics costs its photo, and nothing else.
    catch_unwind(AssertUnwindSafe(|| form(upload, config)))
        .unwrap_or_else(|_| Err(PhotoError::Damaged("its decoder failed".to_owned())))
}

fn form(upload: Vec<u8>, config: &PhotoConfig) -> Result<Vec<u8>, PhotoError> {
    let picture = decode::decode(&upload)?;
    drop(upload);
    let profile = picture.profile.clone();
    let mut upright = shrink_and_turn(picture, u32::from(config.max_edge))?;
    if let Some(profile) = profile {
        colour::to_srgb(&mut upright.rgb, &profile);
    }
    for quality in [config.quality].into_iter().chain(LOWER_QUALITIES.into_iter().filter(|low| *low < config.quality)) {
        let stored = encode(&upright, quality)?;
        if stored.len() <= MAX_STORED {
            return Ok(stored);
        }
    }
    Err(PhotoError::TooLarge)
}

fn encode(picture: &Picture, quality: u8) -> Result<Vec<u8>, PhotoError> {
    let failed = |why: String| PhotoError::Damaged(why);
    let side = |length: u32| u16::try_from(length).map_err(|_| failed(format!("{length} pixels in a row")));
    let (width, height) = (side(picture.width)?, side(picture.height)?);
    let mut stored = Vec::with_capacity(picture.rgb.len() / 8);
    let mut encoder = Encoder::new(&mut stored, quality);
    // Halved colour resolution: what an eye doesn't see, and a label's print doesn't need.
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(&picture.rgb, width, height, ColorType::Rgb).map_err(|error| failed(error.to_string()))?;
    Ok(stored)
}

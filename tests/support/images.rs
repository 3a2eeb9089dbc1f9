//! Photos made for a test: each different, each a real image.

use std::io::Cursor;

use image::{ImageBuffer, ImageFormat, Rgb};

/// What a device with the default settings keeps and sends of an uploaded photo.
pub fn stored(upload: Vec<u8>) -> Vec<u8> {
    tallyman::io::photos::stored_form(upload, &tallyman::io::photos::PhotoConfig::default()).unwrap()
}

/// A PNG of noise, which no encoder makes small.
pub fn noise(width: u32, height: u32) -> Vec<u8> {
    let mut random = 0x2545_f491_u32;
    let picture = ImageBuffer::from_fn(width, height, |_, _| {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        Rgb([random as u8, (random >> 8) as u8, (random >> 16) as u8])
    });
    let mut bytes = vec![];
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}

/// A JPEG whose pixels depend on `seed`.
pub fn jpeg(width: u32, height: u32, seed: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| Rgb([(x ^ seed) as u8, (y.wrapping_add(seed)) as u8, (x.wrapping_mul(y) >> 3) as u8]);
    let picture = ImageBuffer::from_fn(width, height, pixel);
    let mut bytes = vec![];
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Jpeg).unwrap();
    bytes
}

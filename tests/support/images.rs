//! Photos made for a test: each different, each a real image.

use std::io::Cursor;

use image::{ImageBuffer, ImageFormat, Rgb};

/// A JPEG whose pixels depend on `seed`.
pub fn jpeg(width: u32, height: u32, seed: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| Rgb([(x ^ seed) as u8, (y.wrapping_add(seed)) as u8, (x.wrapping_mul(y) >> 3) as u8]);
    let picture = ImageBuffer::from_fn(width, height, pixel);
    let mut bytes = vec![];
    picture.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Jpeg).unwrap();
    bytes
}

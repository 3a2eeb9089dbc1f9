//! A picture like a phone's: light that changes slowly, sensor noise, edges like print.

use jpeg_encoder::{ColorType, Encoder, EncodingError, SamplingFactor};

/// 12 megapixels as a phone's camera writes them that is held upright: 4:2:0, EXIF orientation 6.
pub const WIDTH: u16 = 4000;
pub const HEIGHT: u16 = 3000;

pub fn photo(width: u16, height: u16) -> Result<Vec<u8>, EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    // A directory with one entry: orientation, a short, 6.
    let entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0];
    encoder.add_app_segment(1, [b"Exif\0\0II*\0\x08\0\0\0\x01\0".as_slice(), &entry].concat())?;
    encoder.encode(&pixels(u32::from(width), u32::from(height)), width, height, ColorType::Rgb)?;
    Ok(bytes)
}

fn pixels(width: u32, height: u32) -> Vec<u8> {
    let mut random = 1_u32;
    let mut pixels = Vec::with_capacity((width * height * 3) as usize);
    for y in 0..height {
        for x in 0..width {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            let noise = f64::from(random & 15) - 8.0;
            let light = (f64::from(x) * 0.01).sin() * 60.0 + (f64::from(y) * 0.013).cos() * 50.0;
            let print = if ((x / 7) ^ (y / 9)) % 5 == 0 && (y / 60) % 3 == 0 { -90.0 } else { 0.0 };
            let grey = 128.0 + light + noise + print;
            let tint = f64::from(x / 40 % 30);
            // A float becomes a byte by saturating.
            pixels.extend([(grey + 10.0 - tint / 2.0) as u8, grey as u8, (grey - 20.0 + tint) as u8]);
        }
    }
    pixels
}

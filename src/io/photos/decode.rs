//! From a file to pixels. Every decoder is memory-safe, is told what it may use before it starts, and reads to the end:
//! half a photo is refused while somebody stands there who can take another.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::PhotoError;
use super::picture::Picture;

/// Larger than any phone's sensor; a picture that claims more is a bomb or damaged.
const MAX_SIDE: u32 = 20_000;
/// What decoding may take of a small device's memory, in bytes: a baseline JPEG of 55 megapixels, a PNG of 40.
const MAX_MEMORY: u64 = 160 << 20;
/// A progressive JPEG of a camera has about ten.
const MAX_SCANS: usize = 64;

pub(super) fn decode(bytes: &[u8]) -> Result<Picture, PhotoError> {
    match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => jpeg(bytes),
        Ok(format @ (ImageFormat::Png | ImageFormat::WebP)) => other(bytes, format),
        Ok(_) | Err(_) => Err(PhotoError::NotAnImage),
    }
}

fn damaged(why: impl std::fmt::Display) -> PhotoError {
    PhotoError::Damaged(why.to_string())
}

/// Refuses a picture whose decoding would take more than `bytes_a_pixel` allow.
fn affordable(width: u32, height: u32, bytes_a_pixel: u64) -> Result<(), PhotoError> {
    if width == 0 || height == 0 {
        return Err(damaged("it has no pixels"));
    }
    let needed = u64::from(width) * u64::from(height) * bytes_a_pixel;
    if width > MAX_SIDE || height > MAX_SIDE || needed > MAX_MEMORY {
        return Err(PhotoError::TooManyPixels { width, height });
    }
    Ok(())
}

fn jpeg(bytes: &[u8]) -> Result<Picture, PhotoError> {
    let frame = Frame::of(bytes).ok_or_else(|| damaged("its head is cut off"))?;
    // What a decoder that must see several scans keeps until it has them all: a coefficient of two bytes for each sample.
    let kept = if frame.in_one_scan { 0 } else { 2 * u64::from(frame.components) };
    let options = DecoderOptions::new_fast()
        .set_max_width(MAX_SIDE as usize)
        .set_max_height(MAX_SIDE as usize)
        .jpeg_set_max_scans(MAX_SCANS)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    affordable(frame.width, frame.height, 3 + kept)?;
    decoder.decode_headers().map_err(damaged)?;
    let (width, height) = decoder.dimensions().ok_or_else(|| damaged("it has no size"))?;
    if (width, height) != (frame.width as usize, frame.height as usize) {
        return Err(damaged("it has two sizes"));
    }
    // Cameras write sloppy heads that are read all the same; pixels must be whole.
    if !frame.ends {
        return Err(damaged("its end is missing"));
    }
    decoder.set_options(options.set_strict_mode(true));
    let mut rgb = vec![0; width * height * 3];
    decoder.decode_into(&mut rgb).map_err(damaged)?;
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    Ok(Picture {
        rgb,
        width: frame.width,
        height: frame.height,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
        profile: decoder.icc_profile(),
    })
}

/// What must be known of a JPEG before it is decoded.
struct Frame {
    width: u32,
    height: u32,
    components: u8,
    /// All components come in one scan, so that a decoder can let go of each row.
    in_one_scan: bool,
    /// The end of the image is marked: it was not cut off.
    ends: bool,
}

impl Frame {
    /// Walks over the segments (ITU-T T.81, annex B) up to the first scan. `None` when there is none.
    fn of(bytes: &[u8]) -> Option<Frame> {
        let mut at = 2;
        let mut frame: Option<Frame> = None;
        loop {
            // A segment begins with FF and its kind; FF alone is filling.
            at += bytes.get(at..)?.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))?;
            let kind = *bytes.get(at + 1)?;
            at += 2;
            if matches!(kind, 0x01 | 0xd0..=0xd8) {
                continue;
            }
            let length = usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
            let body = bytes.get(at + 2..at + length)?;
            match kind {
                0xc0..=0xcf if !matches!(kind, 0xc4 | 0xc8 | 0xcc) => {
                    let side = |at: usize| Some(u32::from(u16::from_be_bytes(body.get(at..at + 2)?.try_into().ok()?)));
                    frame = Some(Frame {
                        width: side(3)?,
                        height: side(1)?,
                        components: *body.get(5)?,
                        in_one_scan: matches!(kind, 0xc0 | 0xc1),
                        ends: false,
                    });
                }
                0xda => {
                    let mut frame = frame?;
                    frame.in_one_scan &= *body.first()? >= frame.components;
                    frame.ends = bytes.get(at + length..)?.windows(2).rev().any(|pair| pair == [0xff, 0xd9]);
                    return Some(frame);
                }
                _ => {}
            }
            at += length;
        }
    }
}

/// PNG and WebP. Of an animation, the first picture.
fn other(bytes: &[u8], format: ImageFormat) -> Result<Picture, PhotoError> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    let colours = decoder.color_type();
    // The pixels, a copy where they must be converted to eight bits, and what WebP's decoder works in.
    let converted = if matches!(colours, ColorType::Rgb8 | ColorType::Rgba8) { 0 } else { 4 };
    let inside = if format == ImageFormat::WebP { 6 } else { 0 };
    affordable(width, height, u64::from(colours.bytes_per_pixel()) + converted + inside)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    let rgb = if colours.has_alpha() { on_white(image.into_rgba8().into_raw()) } else { image.into_rgb8().into_raw() };
    Ok(Picture { rgb, width, height, orientation, profile })
}

/// Lays a picture with transparency on white paper, in its own memory.
fn on_white(mut pixels: Vec<u8>) -> Vec<u8> {
    let count = pixels.len() / 4;
    for pixel in 0..count {
        let alpha = u32::from(pixels[pixel * 4 + 3]);
        for channel in 0..3 {
            let value = u32::from(pixels[pixel * 4 + channel]);
            let laid = (value * alpha + 255 * (255 - alpha) + 127) / 255;
            pixels[pixel * 3 + channel] = u8::try_from(laid).unwrap_or(u8::MAX);
        }
    }
    pixels.truncate(count * 3);
    pixels
}

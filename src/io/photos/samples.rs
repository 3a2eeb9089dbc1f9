//! Pictures made for tests, in every form that a page may send.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// Where the corners' colours are when the picture stands upright: top left, top right, bottom left, bottom right.
pub(super) const CORNERS: [[u8; 3]; 4] = [[220, 30, 30], [30, 200, 40], [40, 60, 220], [230, 210, 40]];

/// Four coloured corners around gradients, noise and edges like print: something to do for scaler and encoder.
pub(super) fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (left, top) = (x < width / 4, y < height / 4);
        let (right, bottom) = (x >= width - width / 4, y >= height - height / 4);
        match (left, right, top, bottom) {
            (true, _, true, _) => Rgb(CORNERS[0]),
            (_, true, true, _) => Rgb(CORNERS[1]),
            (true, _, _, true) => Rgb(CORNERS[2]),
            (_, true, _, true) => Rgb(CORNERS[3]),
            _ => {
                let noise =
                    (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519)).wrapping_mul(3_266_489_917) >> 28;
                let print = if (x / 3 + y / 5) % 4 == 0 { 90 } else { 0 };
                let value = (x * 120 / width + y * 30 / height + noise + print) as u8;
                Rgb([value, value.wrapping_add(20), 200 - value / 2])
            }
        }
    })
}

/// The scene as a camera writes it that was held so: `orientation` is EXIF's, 1 to 8.
pub(super) fn held(orientation: u8, width: u32, height: u32) -> RgbImage {
    let upright = DynamicImage::ImageRgb8(scene(width, height));
    // What undoes EXIF's instruction.
    let lying = match orientation {
        2 => upright.fliph(),
        3 => upright.rotate180(),
        4 => upright.flipv(),
        5 => upright.rotate90().fliph(),
        6 => upright.rotate270(),
        7 => upright.rotate270().fliph(),
        8 => upright.rotate90(),
        _ => upright,
    };
    lying.into_rgb8()
}

/// An EXIF block (TIFF, little-endian) with orientation, camera, and a place: GPS in a directory of its own.
pub(super) fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        let mut bytes = tag.to_le_bytes().to_vec();
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value);
        bytes
    };
    let (camera, first) = (b"SECRETCAM-9000\0\0", 8 + 2 + 3 * 12 + 4);
    tiff.extend(3u16.to_le_bytes());
    tiff.extend(entry(0x0110, 2, camera.len() as u32, (first as u32).to_le_bytes()));
    tiff.extend(entry(0x0112, 3, 1, [orientation, 0, 0, 0]));
    tiff.extend(entry(0x8825, 4, 1, ((first + camera.len()) as u32).to_le_bytes()));
    tiff.extend([0; 4]);
    tiff.extend(camera);
    tiff.extend(2u16.to_le_bytes());
    tiff.extend(entry(0x0001, 2, 2, *b"N\0\0\0"));
    tiff.extend(entry(0x001d, 2, 4, *b"GPS!"));
    tiff.extend([0; 4]);
    tiff
}

pub(super) struct Jpeg {
    pub(super) colours: ColorType,
    pub(super) sampling: SamplingFactor,
    pub(super) progressive: bool,
    pub(super) orientation: u8,
    pub(super) profile: Option<Vec<u8>>,
}

impl Default for Jpeg {
    fn default() -> Jpeg {
        let (colours, sampling) = (ColorType::Rgb, SamplingFactor::F_2_2);
        Jpeg { colours, sampling, progressive: false, orientation: 1, profile: None }
    }
}

impl Jpeg {
    /// `pixels` as a camera's JPEG, with EXIF, XMP and what else cameras write.
    pub(super) fn of(&self, pixels: &[u8], width: u32, height: u32) -> Vec<u8> {
        let mut bytes = vec![];
        let mut encoder = Encoder::new(&mut bytes, 90);
        encoder.set_sampling_factor(self.sampling);
        encoder.set_progressive(self.progressive);
        encoder.add_app_segment(1, [b"Exif\0\0", exif(self.orientation).as_slice()].concat()).unwrap();
        encoder.add_app_segment(1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>SECRETXMP</x:xmpmeta>".to_vec()).unwrap();
        if let Some(profile) = &self.profile {
            encoder.add_icc_profile(profile).unwrap();
        }
        encoder.encode(pixels, width as u16, height as u16, self.colours).unwrap();
        // What phones append: a preview, a film.
        bytes.extend_from_slice(b"SECRETTRAILER");
        bytes
    }
}

/// An ordinary photo.
pub(super) fn photo(width: u32, height: u32) -> Vec<u8> {
    Jpeg::default().of(&scene(width, height), width, height)
}

pub(super) fn written(image: DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = vec![];
    image.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

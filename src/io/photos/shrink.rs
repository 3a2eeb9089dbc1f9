//! Scaling and turning in one pass over the picture, a band of rows at a time.
//!
//! A band is scaled into a small buffer and put from there to where it belongs in the upright picture: turning costs no
//! second copy of the picture, and touches only what is left of it after scaling.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;

use super::PhotoError;
use super::picture::Picture;

const CHANNELS: usize = 3;
/// Rows of a band. More of them cost memory; fewer cost time, because neighbouring bands share rows of the source.
const BAND: u32 = 128;
/// Columns that are turned together, so that what is read of a band stays in the processor's nearest cache.
const COLUMNS: usize = 16;

/// The picture upright, its long edge at most `max_edge` pixels. It is never enlarged.
pub(super) fn shrink_and_turn(picture: Picture, max_edge: u32) -> Result<Picture, PhotoError> {
    let Picture { rgb, width, height, orientation, .. } = picture;
    let (small_width, small_height) = fitted(width, height, max_edge);
    let scales = (small_width, small_height) != (width, height);
    if !scales && orientation == Orientation::NoTransforms {
        return Ok(upright(rgb, width, height));
    }
    let way = Way::of(orientation, small_width as usize, small_height as usize);
    let mut turned = vec![0; small_width as usize * small_height as usize * CHANNELS];
    if scales {
        let mut scaler = Scaler::new(&rgb, (width, height), (small_width, small_height))?;
        for first in (0..small_height).step_by(BAND as usize) {
            let band = scaler.band(first, BAND.min(small_height - first))?;
            way.put(band, first as usize, &mut turned);
        }
    } else {
        way.put(&rgb, 0, &mut turned);
    }
    let (width, height) = if way.transposes { (small_height, small_width) } else { (small_width, small_height) };
    Ok(upright(turned, width, height))
}

fn upright(rgb: Vec<u8>, width: u32, height: u32) -> Picture {
    Picture { rgb, width, height, orientation: Orientation::NoTransforms, profile: None }
}

/// The size that fits into a square of `max_edge`, of the same shape, no side below one pixel.
fn fitted(width: u32, height: u32, max_edge: u32) -> (u32, u32) {
    let long = width.max(height);
    if long <= max_edge {
        return (width, height);
    }
    let scaled = |side: u32| {
        let (side, edge, long) = (u64::from(side), u64::from(max_edge), u64::from(long));
        u32::try_from((side * edge + long / 2) / long).unwrap_or(max_edge).max(1)
    };
    (scaled(width), scaled(height))
}

struct Scaler<'a> {
    source: ImageRef<'a>,
    resizer: Resizer,
    width: u32,
    scale: f64,
    band: Vec<u8>,
}

impl<'a> Scaler<'a> {
    fn new(rgb: &'a [u8], from: (u32, u32), to: (u32, u32)) -> Result<Scaler<'a>, PhotoError> {
        Ok(Scaler {
            source: ImageRef::new(from.0, from.1, rgb, PixelType::U8x3).map_err(unscalable)?,
            resizer: Resizer::new(),
            width: to.0,
            scale: f64::from(from.1) / f64::from(to.1),
            band: vec![0; to.0 as usize * BAND.min(to.1) as usize * CHANNELS],
        })
    }

    /// The scaled rows `first` to `first + rows`. The filter looks beyond the band's edge, so that no seam is seen.
    fn band(&mut self, first: u32, rows: u32) -> Result<&[u8], PhotoError> {
        let rgb = &mut self.band[..self.width as usize * rows as usize * CHANNELS];
        let mut target = Image::from_slice_u8(self.width, rows, rgb, PixelType::U8x3).map_err(unscalable)?;
        let (top, height) = (f64::from(first) * self.scale, f64::from(rows) * self.scale);
        let height = height.min(f64::from(self.source.height()) - top);
        let options = ResizeOptions::new()
            .crop(0.0, top, f64::from(self.source.width()), height)
            .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
        self.resizer.resize(&self.source, &mut target, &options).map_err(unscalable)?;
        Ok(&self.band[..self.width as usize * rows as usize * CHANNELS])
    }
}

fn unscalable(error: impl std::fmt::Display) -> PhotoError {
    PhotoError::Damaged(error.to_string())
}

/// Where a picture's pixels belong when it stands upright: pixel (x, y) goes to `base + x * right + y * down`, in pixels.
struct Way {
    transposes: bool,
    width: usize,
    base: isize,
    right: isize,
    down: isize,
}

impl Way {
    /// For a picture of `width` times `height` pixels as it lies.
    fn of(orientation: Orientation, width: usize, height: usize) -> Way {
        // Both are below 2^15.
        let (w, h) = (width as isize, height as isize);
        let (transposes, base, right, down) = match orientation {
            Orientation::NoTransforms => (false, 0, 1, w),
            Orientation::FlipHorizontal => (false, w - 1, -1, w),
            Orientation::Rotate180 => (false, w * h - 1, -1, -w),
            Orientation::FlipVertical => (false, (h - 1) * w, 1, -w),
            Orientation::Rotate90FlipH => (true, 0, h, 1),
            Orientation::Rotate90 => (true, h - 1, h, -1),
            Orientation::Rotate270FlipH => (true, w * h - 1, -h, -1),
            Orientation::Rotate270 => (true, (w - 1) * h, -h, 1),
        };
        Way { transposes, width, base, right, down }
    }

    /// Puts `band`, whose first row is row `first` of the whole, where it belongs in `turned`.
    fn put(&self, band: &[u8], first: usize, turned: &mut [u8]) {
        let row_bytes = self.width * CHANNELS;
        for left in (0..self.width).step_by(COLUMNS) {
            let columns = left..(left + COLUMNS).min(self.width);
            if self.transposes {
                for x in columns {
                    for (y, row) in band.chunks_exact(row_bytes).enumerate() {
                        self.put_pixel(&row[x * CHANNELS..][..CHANNELS], x, first + y, turned);
                    }
                }
            } else {
                for (y, row) in band.chunks_exact(row_bytes).enumerate() {
                    for x in columns.clone() {
                        self.put_pixel(&row[x * CHANNELS..][..CHANNELS], x, first + y, turned);
                    }
                }
            }
        }
    }

    fn put_pixel(&self, pixel: &[u8], x: usize, y: usize, turned: &mut [u8]) {
        let at = self.base + x as isize * self.right + y as isize * self.down;
        turned[at as usize * CHANNELS..][..CHANNELS].copy_from_slice(pixel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_shape_and_never_grows() {
        assert_eq!(fitted(4000, 3000, 2048), (2048, 1536));
        assert_eq!(fitted(3000, 4000, 2048), (1536, 2048));
        assert_eq!(fitted(640, 480, 2048), (640, 480));
        assert_eq!(fitted(1, 20_000, 2048), (1, 2048));
        assert_eq!(fitted(2049, 2049, 2048), (2048, 2048));
    }

    /// Bands are a matter of memory: the picture must be the one that is scaled in one go.
    #[test]
    fn bands_leave_no_seam() {
        let (width, height) = (900, 1100);
        let rgb: Vec<u8> = (0..width * height * 3).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let (to_width, to_height) = fitted(width, height, 600);
        let mut whole = Image::new(to_width, to_height, PixelType::U8x3);
        let source = ImageRef::new(width, height, &rgb, PixelType::U8x3).unwrap();
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
        Resizer::new().resize(&source, &mut whole, &options).unwrap();
        let picture = Picture { rgb, width, height, orientation: Orientation::NoTransforms, profile: None };
        let banded = shrink_and_turn(picture, 600).unwrap();
        assert!(to_height > 3 * BAND);
        let furthest = banded.rgb.iter().zip(whole.buffer()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(furthest <= Some(1), "{furthest:?}");
    }
}

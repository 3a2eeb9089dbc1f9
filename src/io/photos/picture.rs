//! What the steps of a photo's way to its stored form hand to each other.

use image::metadata::Orientation;

/// Pixels as a decoder left them.
pub(super) struct Picture {
    /// Red, green, blue, row by row without gaps.
    pub(super) rgb: Vec<u8>,
    pub(super) width: u32,
    pub(super) height: u32,
    /// How the camera was held.
    pub(super) orientation: Orientation,
    /// The ICC profile that the pixels' colours are meant in; without one they are sRGB.
    pub(super) profile: Option<Vec<u8>>,
}

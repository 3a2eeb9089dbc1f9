//! Colours: what a camera meant in its own colour space becomes sRGB, which needs no profile to be read right.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// More than this is no camera's profile.
const MAX_PROFILE: usize = 1 << 20;
/// Pixels that are converted at a time.
const PIECE: usize = 3 * 4096;
/// A profile whose colours are no further than this from sRGB's, of 255, is sRGB under another name.
const SAME: u8 = 2;

/// Converts `rgb` from `profile`'s colours to sRGB's. A profile that can't be used is ignored: colours a shade off are
/// better than no photo.
pub(super) fn to_srgb(rgb: &mut [u8], profile: &[u8]) {
    if profile.len() > MAX_PROFILE {
        return;
    }
    let Ok(profile) = ColorProfile::new_from_slice(profile) else { return };
    if profile.color_space != DataColorSpace::Rgb {
        return;
    }
    let srgb = ColorProfile::new_srgb();
    let Ok(transform) = profile.create_transform_8bit(Layout::Rgb, &srgb, Layout::Rgb, TransformOptions::default())
    else {
        return;
    };
    let colours = spread_colours();
    let mut converted = vec![0; colours.len()];
    if transform.transform(&colours, &mut converted).is_err()
        || colours.iter().zip(&converted).all(|(a, b)| a.abs_diff(*b) <= SAME)
    {
        return;
    }
    let mut converted = [0; PIECE];
    for piece in rgb.chunks_mut(PIECE) {
        let converted = &mut converted[..piece.len()];
        if transform.transform(piece, converted).is_err() {
            return;
        }
        piece.copy_from_slice(converted);
    }
}

/// Colours from all over the cube.
fn spread_colours() -> Vec<u8> {
    let steps = || (0..=255).step_by(51);
    steps().flat_map(|r| steps().flat_map(move |g| steps().flat_map(move |b| [r, g, b]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_gamuts_colours_become_srgb_and_srgb_stays_as_it_is() {
        let before = [200, 100, 50, 128, 128, 128, 255, 255, 255];
        let mut rgb = before;
        to_srgb(&mut rgb, &ColorProfile::new_srgb().encode().unwrap());
        assert_eq!(rgb, before);
        to_srgb(&mut rgb, &ColorProfile::new_display_p3().encode().unwrap());
        assert!(rgb[0] > before[0] && rgb[2] < before[2], "{rgb:?}");
        assert!(rgb[3..].iter().zip(&before[3..]).all(|(a, b)| a.abs_diff(*b) <= 1), "greys stay grey: {rgb:?}");
    }

    #[test]
    fn a_profile_that_is_none_changes_nothing() {
        let mut rgb = [1, 2, 3];
        for profile in [&b""[..], b"not a profile", &[0xff; 200]] {
            to_srgb(&mut rgb, profile);
            assert_eq!(rgb, [1, 2, 3]);
        }
    }
}

//! What comes in, and what is kept of it.

use std::fs;

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use jpeg_encoder::{ColorType, SamplingFactor};

use super::samples::{CORNERS, Jpeg, held, photo, scene, written};
use super::*;

fn config() -> PhotoConfig {
    PhotoConfig { min_free: 0, ..PhotoConfig::default() }
}

fn kept(upload: Vec<u8>) -> DynamicImage {
    kept_by(&config(), upload)
}

fn kept_by(config: &PhotoConfig, upload: Vec<u8>) -> DynamicImage {
    let stored = stored_form(upload, config).unwrap();
    assert_eq!(image::guess_format(&stored).unwrap(), ImageFormat::Jpeg);
    image::load_from_memory_with_format(&stored, ImageFormat::Jpeg).unwrap()
}

/// The middle of each corner has the colour that it has in the upright scene.
fn assert_upright(image: &DynamicImage, what: &str) {
    let image = image.to_rgb8();
    let (right, bottom) = (image.width() - 1 - image.width() / 8, image.height() - 1 - image.height() / 8);
    let (left, top) = (image.width() / 8, image.height() / 8);
    for ((x, y), colour) in [(left, top), (right, top), (left, bottom), (right, bottom)].into_iter().zip(CORNERS) {
        let found = image.get_pixel(x, y).0;
        let near = found.iter().zip(colour).all(|(a, b)| a.abs_diff(b) < 24);
        assert!(near, "{what}: at {x},{y} {found:?} instead of {colour:?}");
    }
}

#[test]
fn a_photo_stands_upright_however_the_camera_was_held() {
    for orientation in 1..=8 {
        for (width, height, expected) in [(320, 240, (320, 240)), (1000, 750, (640, 480))] {
            let lying = held(orientation, width, height);
            let jpeg = Jpeg { orientation, ..Jpeg::default() };
            let small = PhotoConfig { max_edge: 640, ..config() };
            let image = kept_by(&small, jpeg.of(&lying, lying.width(), lying.height()));
            assert_eq!((image.width(), image.height()), expected, "orientation {orientation}");
            assert_upright(&image, &format!("orientation {orientation}, {width} x {height}"));
        }
    }
}

#[test]
fn nothing_is_kept_of_where_and_with_what_a_photo_was_taken() {
    let upload = photo(400, 300);
    let secrets: [&[u8]; 6] = [b"SECRET", b"Exif", b"GPS", b"xap/1.0", b"xmpmeta", b"ICC_PROFILE"];
    assert!(secrets[..5].iter().all(|secret| upload.windows(secret.len()).any(|bytes| bytes == *secret)));
    let stored = stored_form(upload, &config()).unwrap();
    for secret in secrets {
        assert!(!stored.windows(secret.len()).any(|bytes| bytes == secret), "{secret:?} was kept");
    }
}

#[test]
fn every_kind_of_picture_that_a_page_can_send_is_kept_as_a_jpeg() {
    let rgb = scene(300, 200);
    let whole = || DynamicImage::ImageRgb8(rgb.clone());
    let jpeg = |jpeg: Jpeg| jpeg.of(&rgb, 300, 200);
    let cmyk: Vec<u8> = rgb.pixels().flat_map(|p| [255 - p.0[0], 255 - p.0[1], 255 - p.0[2], 0]).collect();
    let cmyk_as = |colours| Jpeg { colours, sampling: SamplingFactor::F_1_1, ..Jpeg::default() }.of(&cmyk, 300, 200);
    for (what, upload) in [
        ("JPEG 4:2:0", jpeg(Jpeg::default())),
        ("JPEG 4:4:4", jpeg(Jpeg { sampling: SamplingFactor::F_1_1, ..Jpeg::default() })),
        ("JPEG 4:2:2", jpeg(Jpeg { sampling: SamplingFactor::F_2_1, ..Jpeg::default() })),
        ("progressive JPEG", jpeg(Jpeg { progressive: true, ..Jpeg::default() })),
        ("CMYK JPEG", cmyk_as(ColorType::Cmyk)),
        ("YCCK JPEG", cmyk_as(ColorType::CmykAsYcck)),
        ("PNG", written(whole(), ImageFormat::Png)),
        ("PNG of 16 bits", written(DynamicImage::ImageRgb16(whole().into_rgb16()), ImageFormat::Png)),
        ("PNG with alpha", written(DynamicImage::ImageRgba8(whole().into_rgba8()), ImageFormat::Png)),
        ("WebP", written(whole(), ImageFormat::WebP)),
    ] {
        let image = kept(upload);
        assert_eq!((image.width(), image.height()), (300, 200), "{what}");
        assert_upright(&image, what);
    }
    let grey = DynamicImage::ImageLuma8(whole().into_luma8());
    let luma = Jpeg { colours: ColorType::Luma, ..Jpeg::default() }.of(grey.as_bytes(), 300, 200);
    for (what, upload) in [("grey JPEG", luma), ("grey PNG", written(grey.clone(), ImageFormat::Png))] {
        let image = kept(upload).into_rgb8();
        let (found, expected) = (image.get_pixel(20, 20).0, grey.to_rgb8().get_pixel(20, 20).0);
        assert!(found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) < 8), "{what}: {found:?}, not {expected:?}");
    }
}

#[test]
fn what_is_transparent_lies_on_white() {
    let mut picture = RgbaImage::from_pixel(40, 40, Rgba([0, 0, 0, 0]));
    (20..40).for_each(|x| (0..40).for_each(|y| picture.put_pixel(x, y, Rgba([200, 0, 0, 128]))));
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let image = kept(written(DynamicImage::ImageRgba8(picture.clone()), format)).into_rgb8();
        let (clear, half) = (image.get_pixel(5, 20).0, image.get_pixel(34, 20).0);
        assert!(clear.iter().all(|value| *value > 245), "{format:?}: {clear:?}");
        assert!(half[0].abs_diff(227) < 16 && half[1].abs_diff(127) < 16, "{format:?}: {half:?}");
    }
}

#[test]
fn colours_of_a_wide_gamut_are_kept_as_srgb() {
    let rgb = [200, 100, 50].repeat(64 * 64);
    let p3 = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let upload = Jpeg { profile: Some(p3), ..Jpeg::default() }.of(&rgb, 64, 64);
    let found = kept(upload).into_rgb8().get_pixel(32, 32).0;
    // By the matrices of Display P3 and sRGB: 215, 93, 31.
    assert!(found.iter().zip([215, 93, 31]).all(|(a, b): (&u8, u8)| a.abs_diff(b) < 6), "{found:?}");
}

#[test]
fn odd_shapes_keep_a_pixel_at_least_and_the_long_edge_is_the_sites() {
    let png = |width, height| written(DynamicImage::ImageRgb8(image::RgbImage::new(width, height)), ImageFormat::Png);
    for ((width, height), expected) in [
        ((1, 1), (1, 1)),
        ((1, 20_000), (1, 2048)),
        ((20_000, 1), (2048, 1)),
        ((17, 9), (17, 9)),
        ((2049, 3), (2048, 3)),
    ] {
        let image = kept(png(width, height));
        assert_eq!((image.width(), image.height()), expected, "{width} x {height}");
    }
    let image = kept_by(&PhotoConfig { max_edge: 640, ..config() }, photo(800, 1000));
    assert_eq!((image.width(), image.height()), (512, 640));
}

#[test]
fn the_same_photo_gives_the_same_bytes() {
    let upload = photo(2100, 300);
    assert_eq!(stored_form(upload.clone(), &config()).unwrap(), stored_form(upload, &config()).unwrap());
}

#[test]
fn a_photo_that_was_cut_off_is_refused_wherever_that_happened() {
    let picture = DynamicImage::ImageRgb8(scene(400, 300));
    let progressive = Jpeg { progressive: true, ..Jpeg::default() };
    for (what, upload, length) in [
        ("JPEG", photo(400, 300), photo(400, 300).len() - b"SECRETTRAILER".len()),
        (
            "progressive JPEG",
            progressive.of(&scene(400, 300), 400, 300),
            progressive.of(&scene(400, 300), 400, 300).len() - 13,
        ),
        ("PNG", written(picture.clone(), ImageFormat::Png), written(picture.clone(), ImageFormat::Png).len()),
        ("WebP", written(picture.clone(), ImageFormat::WebP), written(picture.clone(), ImageFormat::WebP).len()),
    ] {
        for sixteenth in 0..16 {
            let cut = upload[..length * sixteenth / 16].to_vec();
            let refused = stored_form(cut, &config());
            assert!(
                matches!(refused, Err(PhotoError::NotAnImage | PhotoError::Damaged(_))),
                "{what} cut at {sixteenth}/16: {:?}",
                refused.map(|stored| stored.len())
            );
        }
        assert!(stored_form(upload[..length].to_vec(), &config()).is_ok(), "{what}");
    }
}

#[test]
fn a_bomb_is_refused_before_it_takes_memory() {
    // A PNG that claims 19,999 x 19,999 pixels, and JPEGs of two kinds that claim more than their kind may have.
    let mut png = written(DynamicImage::ImageRgb8(image::RgbImage::new(8, 8)), ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0x4e, 0x1f, 0, 0, 0x4e, 0x1f]);
    let crc = image_crc(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    let claiming = |upload: Vec<u8>, side: u16| {
        let mut upload = upload;
        let frame = upload.windows(2).position(|pair| pair[0] == 0xff && matches!(pair[1], 0xc0 | 0xc2)).unwrap();
        upload[frame + 5..frame + 7].copy_from_slice(&side.to_be_bytes());
        upload[frame + 7..frame + 9].copy_from_slice(&side.to_be_bytes());
        upload
    };
    let progressive = Jpeg { progressive: true, ..Jpeg::default() }.of(&scene(64, 64), 64, 64);
    for (what, upload) in
        [("PNG", png), ("JPEG", claiming(photo(64, 64), 8000)), ("progressive JPEG", claiming(progressive, 5000))]
    {
        let before = resident();
        let refused = stored_form(upload, &config());
        assert!(matches!(refused, Err(PhotoError::TooManyPixels { .. })), "{what}: {:?}", refused.map(|s| s.len()));
        assert!(resident() < before + (64 << 20), "{what} took memory");
    }
}

/// The CRC of PNG chunks (ISO 3309), bit by bit.
fn image_crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| step(crc)))
}

fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[test]
fn flipped_bits_never_bring_anything_down() {
    let picture = DynamicImage::ImageRgb8(scene(90, 70));
    let progressive = Jpeg { progressive: true, orientation: 6, ..Jpeg::default() };
    let uploads = [
        photo(90, 70),
        progressive.of(&scene(90, 70), 90, 70),
        written(picture.clone(), ImageFormat::Png),
        written(picture, ImageFormat::WebP),
    ];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let (mut whole, mut refused) = (0, 0);
    for round in 0..400 {
        let mut upload = uploads[round % uploads.len()].clone();
        for _ in 0..1 + next(4) {
            // The head is what decoders believe: half of the hits go there.
            let within = if next(2) == 0 { upload.len().min(700) } else { upload.len() };
            let bit = next(within * 8);
            upload[bit / 8] ^= 1 << (bit % 8);
        }
        match stored_form(upload, &config()) {
            Ok(_) => whole += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(whole > 0 && refused > 0, "{whole} were taken, {refused} refused: the test hits nothing");
}

fn open(config: PhotoConfig) -> (tempfile::TempDir, Photos) {
    let folder = tempfile::tempdir().unwrap();
    let photos = Photos::open(&folder.path().join("photos"), config).unwrap();
    (folder, photos)
}

#[test]
fn a_photo_is_kept_once_under_its_digest_and_read_in_pieces() {
    let (folder, photos) = open(config());
    let upload = photo(64, 48);
    let kept = photos.keep(upload.clone()).unwrap();
    assert_eq!(photos.keep(upload.clone()).unwrap(), kept);
    let stored = stored_form(upload, &config()).unwrap();
    assert_eq!((kept.digest, kept.size), (Digest::of(&stored), stored.len() as u64));
    let mut read = photos.piece(&kept, 0, 100).unwrap();
    read.extend(photos.piece(&kept, 100, 1 << 40).unwrap());
    assert_eq!(read, stored);
    assert!(photos.piece(&kept, kept.size, 10).unwrap().is_empty());
    assert_eq!(fs::read_dir(folder.path().join("photos")).unwrap().count(), 1);
}

#[test]
fn a_damaged_file_is_found_before_it_is_sent_and_mended_by_the_same_photo() {
    let (folder, photos) = open(config());
    let kept = photos.keep(photo(64, 48)).unwrap();
    let path = folder.path().join("photos").join(kept.digest.to_string());
    let mut bytes = fs::read(&path).unwrap();
    bytes[200] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(photos.piece(&kept, 0, 100), Err(ReadError::Lost(why)) if why.contains("damaged")));
    photos.keep(photo(64, 48)).unwrap();
    assert!(photos.piece(&kept, 0, 100).is_ok());
    fs::write(&path, &bytes[..100]).unwrap();
    assert!(matches!(photos.piece(&kept, 50, 10), Err(ReadError::Lost(_))), "a file that lost its end");
    let aside = photos.set_aside(kept.digest).unwrap().unwrap();
    assert_eq!(photos.sweep(|_| false).unwrap(), 0, "what was set aside is never deleted");
    assert!(aside.exists());
    assert!(matches!(photos.piece(&kept, 50, 10), Err(ReadError::Lost(why)) if why.contains("gone")));
}

#[test]
fn a_sweep_keeps_what_reports_name() {
    let (folder, photos) = open(config());
    let kept = photos.keep(photo(64, 48)).unwrap();
    fs::write(folder.path().join("photos/.half.tmp"), "x").unwrap();
    assert_eq!(photos.sweep(|name| name == kept.digest.to_string()).unwrap(), 1);
    assert!(photos.piece(&kept, 0, 1).is_ok());
    assert_eq!(photos.sweep(|_| false).unwrap(), 1);
}

#[test]
fn a_full_place_for_photos_refuses_new_ones_and_keeps_those_that_wait() {
    let one = stored_form(photo(64, 48), &config()).unwrap().len() as u64;
    let (folder, photos) = open(PhotoConfig { max_disk: one, ..config() });
    let kept = photos.keep(photo(64, 48)).unwrap();
    assert!(matches!(photos.keep(photo(64, 64)), Err(PhotoError::Full { photos: 1 })));
    assert_eq!(photos.keep(photo(64, 48)).unwrap(), kept, "what is there already needs no place");
    assert!(photos.piece(&kept, 0, 1).is_ok());
    // The count is the folder's, after a restart too; what is in Odoo makes room.
    let again = Photos::open(&folder.path().join("photos"), PhotoConfig { max_disk: one, ..config() }).unwrap();
    assert!(matches!(again.keep(photo(64, 64)), Err(PhotoError::Full { photos: 1 })));
    again.remove(kept.digest).unwrap();
    assert!(again.keep(photo(64, 48)).is_ok());
}

#[test]
fn the_last_room_of_a_disk_is_left_to_reports() {
    let (folder, photos) = open(PhotoConfig { min_free: u64::MAX, ..config() });
    assert!(matches!(photos.keep(photo(64, 48)), Err(PhotoError::DiskFull)));
    assert_eq!(fs::read_dir(folder.path().join("photos")).unwrap().count(), 0);
}

#[test]
fn what_is_no_photo_is_refused_by_name() {
    let (folder, photos) = open(config());
    assert!(matches!(photos.keep(b"%PDF-1.7 hello".to_vec()), Err(PhotoError::NotAnImage)));
    assert!(matches!(photos.keep(vec![]), Err(PhotoError::NotAnImage)));
    assert!(matches!(photos.keep(vec![0xff; MAX_UPLOAD + 1]), Err(PhotoError::TooLarge)));
    assert_eq!(fs::read_dir(folder.path().join("photos")).unwrap().count(), 0);
}

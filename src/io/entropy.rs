//! The only place that draws random numbers.

/// Random bytes from the kernel.
///
/// # Errors
/// When the kernel has none to give, which a running Linux always has.
pub fn bytes<const N: usize>() -> std::io::Result<[u8; N]> {
    let mut out = [0; N];
    getrandom::fill(&mut out).map_err(std::io::Error::other)?;
    Ok(out)
}

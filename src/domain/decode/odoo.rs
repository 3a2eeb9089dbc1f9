//! Odoo's own command barcodes. They drive Odoo's barcode screens, hang on the same walls, and mean nothing here: known
//! ones are named, so that nobody reports a bin called `OBTVALI`.

/// True for "OBTVALI", "OCDMENU" (Odoo 17 and later), "O-BTN.validate", "O-CMD.MAIN-MENU" (before).
pub fn is_command(text: &str) -> bool {
    let new = |rest: &str| rest.len() == 4 && rest.bytes().all(|byte| byte.is_ascii_uppercase());
    let old = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    ["OBT", "OCD"].iter().any(|prefix| text.strip_prefix(prefix).is_some_and(new))
        || ["O-BTN.", "O-CMD."].iter().any(|prefix| text.strip_prefix(prefix).is_some_and(old))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_every_odoo_are_known_and_nothing_else_is() {
        for command in ["OBTVALI", "OCDMENU", "O-BTN.validate", "O-CMD.MAIN-MENU", "O-CMD.NEXT"] {
            assert!(is_command(command), "{command}");
        }
        for other in ["", "OBT", "OBTVAL", "OBTVALID", "obtvali", "OCD-12", "O-BTN.", "WH/OUT/00012", "O-CMD.a b"] {
            assert!(!is_command(other), "{other}");
        }
    }
}

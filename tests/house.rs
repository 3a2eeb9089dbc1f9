//! The layering of ARCHITECTURE.md, held by reading the sources: who may name whom, and how long a file may be.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, and may say why")]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// What the domain may name: itself, the standard library's pure parts, and crates that compute.
const DOMAIN_MAY: &[&str] = &["std", "super", "self", "crate::domain", "jiff", "regex", "rust_decimal", "sha2", "uuid"];
/// Parts of the standard library that read or change the world.
const IMPURE: &[&str] = &["fs", "net", "process", "thread", "io", "env", "os", "time::SystemTime", "time::Instant"];
/// Calls that read a clock or draw a random number, whatever module they came through.
const IMPURE_CALLS: &[&str] = &["now", "new_v4", "now_v7", "random"];
const ODOO_MODELS: &[&str] =
    &["stock.quant", "stock.move", "stock.picking", "res.partner", "hr.employee", "product.product"];
/// Room, and the rooms that it must not name.
const LAWS: &[(&str, &[&str])] = &[
    ("wire", &["io", "web", "cli", "agent", "config", "demo", "telemetry"]),
    ("io", &["web", "cli", "agent", "config", "demo", "telemetry"]),
    ("config", &["web", "cli", "agent", "demo", "wire", "telemetry"]),
    ("web", &["cli", "agent", "config", "demo", "io::journal", "io::index", "io::store", "io::keys", "io::http"]),
    ("cli", &["io::journal", "io::index", "io::store", "io::keys"]),
    ("card", &["wire", "io", "web", "cli", "agent", "config", "demo", "telemetry"]),
    ("agent", &["cli", "demo"]),
    ("demo", &["cli", "agent", "config", "io::journal", "io::index", "io::store"]),
];
const MAX_LINES: usize = 600;

/// Every path that a file names outside its tests, and the names that it brings into scope.
#[derive(Default)]
struct Names {
    paths: Vec<String>,
    in_scope: HashSet<String>,
}

impl Names {
    fn of(code: &str) -> Names {
        let mut names = Names::default();
        names.visit_file(&syn::parse_file(code).unwrap());
        names
    }

    /// Paths that don't begin with a name the file itself brought in: that name's origin is in the list already.
    fn foreign(&self) -> impl Iterator<Item = &String> {
        self.paths.iter().filter(|path| !self.in_scope.contains(path.split("::").next().unwrap_or_default()))
    }

    fn tree(&mut self, prefix: &str, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => self.tree(&format!("{prefix}{}::", path.ident), &path.tree),
            // `use super::gs1::{self, Ai}` brings `gs1`.
            syn::UseTree::Name(name) if name.ident == "self" => {
                let module = prefix.trim_end_matches("::");
                self.paths.push(module.to_owned());
                self.in_scope.extend(module.rsplit("::").next().map(ToOwned::to_owned));
            }
            syn::UseTree::Name(name) => {
                self.paths.push(format!("{prefix}{}", name.ident));
                self.in_scope.insert(name.ident.to_string());
            }
            syn::UseTree::Rename(rename) => {
                self.paths.push(format!("{prefix}{}", rename.ident));
                self.in_scope.insert(rename.rename.to_string());
            }
            syn::UseTree::Glob(_) => self.paths.push(prefix.trim_end_matches("::").to_owned()),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(prefix, item)),
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_test(&module.attrs) {
            self.in_scope.insert(module.ident.to_string());
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.tree("", &item.tree);
        }
    }

    /// `#[rustfmt::skip]` and its like speak to tools.
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.paths.push(path.segments.iter().map(|part| part.ident.to_string()).collect::<Vec<_>>().join("::"));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        // A macro's tokens are no paths yet; those that take expressions parse as a list of them.
        let parser = syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
        if let Ok(arguments) = call.parse_body_with(parser) {
            arguments.iter().for_each(|argument| self.visit_expr(argument));
        }
        visit::visit_macro(self, call);
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The files of a room, `src/room.rs` and all below `src/room/`, but for files of tests.
fn room(name: &str) -> Vec<PathBuf> {
    let mut files = vec![];
    let (file, folder) = (root().join(format!("src/{name}.rs")), root().join(format!("src/{name}")));
    files.extend(file.exists().then_some(file));
    if folder.exists() {
        files.extend(rust_files(&folder));
    }
    files.retain(|file| file.file_stem().is_some_and(|stem| stem != "tests"));
    assert!(!files.is_empty(), "no room is called {name}");
    files
}

fn is_in(path: &str, module: &str) -> bool {
    path == module || path.strip_prefix(module).is_some_and(|rest| rest.starts_with("::"))
}

/// What makes a path impure, if anything does.
fn impurity(path: &str, foreign: bool) -> Option<&'static str> {
    let first = path.split("::").next().unwrap_or_default();
    let a_module = first.chars().next().is_some_and(char::is_lowercase);
    let a_primitive = matches!(
        first,
        "char" | "str" | "bool" | "u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64" | "f64" | "usize"
    );
    if foreign && a_module && !a_primitive && !DOMAIN_MAY.iter().any(|may| is_in(path, may)) {
        return Some("not the domain's to name");
    }
    if path.strip_prefix("std::").is_some_and(|rest| IMPURE.iter().any(|part| is_in(rest, part))) {
        return Some("touches the world");
    }
    let last = path.rsplit("::").next().unwrap_or_default();
    IMPURE_CALLS.contains(&last).then_some("reads a clock or draws a number")
}

#[test]
fn the_domain_is_pure() {
    let mut offences = vec![];
    for file in room("domain") {
        let code = fs::read_to_string(&file).unwrap();
        let names = Names::of(&code);
        let foreign: HashSet<&String> = names.foreign().collect();
        for path in &names.paths {
            if let Some(why) = impurity(path, foreign.contains(path)) {
                offences.push(format!("{}: {path} ({why})", file.display()));
            }
        }
        let odoo = ODOO_MODELS.iter().filter(|model| code.contains(**model));
        offences.extend(odoo.map(|model| format!("{}: names Odoo's {model}", file.display())));
    }
    assert!(offences.is_empty(), "the domain names what it must not:\n{}", offences.join("\n"));
}

#[test]
fn no_room_names_what_it_must_not_know() {
    let mut offences = vec![];
    for (name, banned) in LAWS {
        for file in room(name) {
            for path in Names::of(&fs::read_to_string(&file).unwrap()).paths {
                if banned.iter().any(|module| is_in(&path, &format!("crate::{module}"))) {
                    offences.push(format!("{}: {path}", file.display()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "the layering is broken:\n{}", offences.join("\n"));
}

#[test]
fn files_stay_readable() {
    let mut files = rust_files(&root().join("src"));
    files.extend(rust_files(&root().join("tests")));
    let long = |path: &PathBuf| {
        let lines = fs::read_to_string(path).unwrap().lines().count();
        (lines > MAX_LINES).then(|| format!("{}: {lines} lines", path.display()))
    };
    let offences: Vec<_> = files.iter().filter_map(long).collect();
    assert!(files.len() > 40 && offences.is_empty(), "{offences:?}");
    assert!(fs::read_to_string(root().join("src/main.rs")).unwrap().lines().count() <= 60, "main is thin");
}

/// A checker that finds nothing proves nothing: it must see each way of naming a module.
#[test]
fn the_checker_sees_every_way_of_being_impure() {
    for code in [
        "use std::{collections::HashMap, fs};",
        "use std::time::SystemTime as S;",
        "fn f() { std::thread::sleep(x); }",
        "fn f() { let a = vec![tokio::spawn(y)]; }",
        "fn f() { format!(\"{}\", crate::io::clock::now()); }",
        "use uuid::Uuid; fn f() { Uuid::new_v4(); }",
        "use serde::Serialize;",
        "impl sled::X for Y {}",
    ] {
        let names = Names::of(code);
        let foreign: HashSet<&String> = names.foreign().collect();
        let seen = names.paths.iter().any(|path| impurity(path, foreign.contains(path)).is_some());
        assert!(seen, "{code} was not seen in {:?}", names.paths);
    }
    let pure = Names::of("use std::fmt; use super::time::Now; fn f() { fmt::Error; Now::zero(); u8::MAX; }");
    assert!(pure.paths.iter().all(|path| impurity(path, pure.foreign().any(|p| p == path)).is_none()));
}

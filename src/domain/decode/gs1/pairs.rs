//! Which elements must, and must not, stand on one item together (GS1 General Specifications §4.13 and §4.14).

use super::super::Flaw;
use super::Element;
use super::spec::Ai;

/// Two elements that no item may carry together are wrong wherever their parts were read. What an element *needs* may be
/// on another barcode of the same item, so that is no flaw: see [`missing`].
pub(super) fn check(elements: &[Element<'_>], flaws: &mut Vec<Flaw>) {
    for (place, element) in elements.iter().enumerate() {
        let ai = element.ai;
        if elements[..place].iter().any(|earlier| earlier.ai == ai && earlier.value != element.value) {
            flaws.push(Flaw::Repeated { ai });
        }
        for pattern in list(ai.spec.never_with) {
            let enemy = elements.iter().map(|other| other.ai).find(|&other| other != ai && other.fits(pattern));
            if let Some(with) = enemy {
                let known = Flaw::NotTogether { ai: with, with: ai };
                if !flaws.contains(&known) {
                    flaws.push(Flaw::NotTogether { ai, with });
                }
                break;
            }
        }
    }
}

/// What an element needs beside it and did not find on this label: the choices, as GS1 writes them ("01+21,02").
pub fn missing(elements: &[Element<'_>]) -> Vec<(Ai, &'static str)> {
    let satisfied = |group: &str| group.split('+').all(|pattern| elements.iter().any(|other| other.ai.fits(pattern)));
    let lacks = |ai: &Ai| !ai.spec.needs.is_empty() && !list(ai.spec.needs).any(satisfied);
    elements.iter().map(|element| element.ai).filter(lacks).map(|ai| (ai, ai.spec.needs)).collect()
}

fn list(patterns: &'static str) -> impl Iterator<Item = &'static str> {
    patterns.split(',').filter(|pattern| !pattern.is_empty())
}

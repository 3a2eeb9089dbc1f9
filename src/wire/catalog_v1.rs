//! The catalog as a JSON file: what the device should know offline, written by IT or by the demo.

use serde::{Deserialize, Serialize};

use crate::domain::catalog::{Bin, Catalog, Conventions, Direction, Document, Line, Operator, Product};
use crate::domain::quantity::Quantity;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CatalogV1 {
    pub operators: Vec<OperatorV1>,
    pub bins: Vec<BinV1>,
    pub products: Vec<ProductV1>,
    pub documents: Vec<DocumentV1>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorV1 {
    pub badge: String,
    #[serde(default)]
    pub name: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BinV1 {
    pub code: String,
    #[serde(default)]
    pub name: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductV1 {
    pub code: String,
    pub name: String,
    #[serde(default)]
    pub unit: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentV1 {
    pub code: String,
    pub direction: DirectionV1,
    #[serde(default)]
    pub lines: Vec<LineV1>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DirectionV1 {
    Receipt,
    Pick,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineV1 {
    pub product: String,
    #[serde(default)]
    pub bin: Option<String>,
    pub expected: String,
    #[serde(default)]
    pub unit: Option<String>,
}

impl CatalogV1 {
    /// The domain's catalog, or the first thing that is wrong with this one.
    pub fn into_domain(self, conventions: Conventions) -> Result<Catalog, String> {
        let mut catalog = Catalog::new(conventions);
        for OperatorV1 { badge, name } in self.operators {
            catalog.add_operator(Operator { badge, name });
        }
        for BinV1 { code, name } in self.bins {
            catalog.add_bin(Bin { code, name });
        }
        for ProductV1 { code, name, unit } in self.products {
            catalog.add_product(Product { code, name, unit });
        }
        for document in self.documents {
            let direction = match document.direction {
                DirectionV1::Receipt => Direction::Receipt,
                DirectionV1::Pick => Direction::Pick,
            };
            let lines =
                document.lines.into_iter().map(|line| line.into_domain(&document.code)).collect::<Result<_, _>>()?;
            catalog.add_document(Document { code: document.code, direction, lines });
        }
        Ok(catalog)
    }
}

impl LineV1 {
    fn into_domain(self, document: &str) -> Result<Line, String> {
        let expected = Quantity::parse(&self.expected).ok_or_else(|| {
            format!("document {document}: \"{}\" is no quantity, write a decimal like \"12.5\"", self.expected)
        })?;
        Ok(Line { product: self.product, bin: self.bin, expected, unit: self.unit })
    }
}

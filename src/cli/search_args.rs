//! The arguments of `search`: the query, the filters, and the order.

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use jiff::civil::Date;

use crate::catalog::{Query, RowSelection, SortKey};
use crate::error::{Error, Result};
use crate::servicing::{Knowledge, ProductFilter};
use crate::update::{Architecture, Kind};

/// `search`
#[derive(Debug, Args)]
pub(super) struct SearchArgs {
    /// A KB number or other words. All words must match, and "-word" must not
    #[arg(required = true, value_name = "QUERY")]
    words: Vec<String>,
    /// Only this architecture (repeatable)
    #[arg(long, value_name = "ARCH", help_heading = "Filters and order")]
    arch: Vec<Architecture>,
    /// Only this product: "Windows 11 24H2", 25H2, 26200, server-2025, or one of the Catalog's products (repeatable)
    #[arg(long, value_name = "PRODUCT", value_parser = NonEmptyStringValueParser::new(), help_heading = "Filters and order")]
    product: Vec<String>,
    /// Only classifications of the Catalog that begin with this text, e.g. "security updates", drivers (repeatable)
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new(), help_heading = "Filters and order")]
    classification: Vec<String>,
    /// Only this kind (repeatable)
    #[arg(long, value_name = "KIND", value_parser = kind_parser(), ignore_case = true, help_heading = "Filters and order")]
    kind: Vec<Kind>,
    /// Only entries of this day and later
    #[arg(long, value_name = "YYYY-MM-DD", help_heading = "Filters and order")]
    since: Option<Date>,
    /// Only entries of this day and earlier
    #[arg(long, value_name = "YYYY-MM-DD", help_heading = "Filters and order")]
    until: Option<Date>,
    /// The order [default: date, the newest first]
    #[arg(long, value_name = "KEY", help_heading = "Filters and order")]
    sort: Option<SortArg>,
    /// Reverse the order
    #[arg(long, help_heading = "Filters and order")]
    reverse: bool,
    /// Show at most this many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Filters and order")]
    limit: Option<u32>,
}

/// `--sort`
#[derive(Debug, Clone, Copy, ValueEnum)]
enum SortArg {
    /// The newest first
    Date,
    /// From A to Z
    Title,
    /// The largest first
    Size,
    /// Cumulative updates first
    Kind,
    /// By product and version
    Product,
}

impl From<SortArg> for SortKey {
    fn from(argument: SortArg) -> Self {
        match argument {
            SortArg::Date => Self::Date,
            SortArg::Title => Self::Title,
            SortArg::Size => Self::Size,
            SortArg::Kind => Self::Kind,
            SortArg::Product => Self::Product,
        }
    }
}

/// Returns the parser of a kind. It refuses an unknown kind with the list of all kinds.
pub(super) fn kind_parser() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.as_str())).try_map(|word| word.parse())
}

impl SearchArgs {
    /// Returns the query.
    pub(super) fn query(&self) -> Result<Query> {
        Query::new(&self.words.join(" "))
    }

    /// Returns `true` if the rows are filtered by product.
    pub(super) fn has_products(&self) -> bool {
        !self.product.is_empty()
    }

    /// Returns the filters, the order, and the limit.
    pub(super) fn choice(&self, knowledge: Option<&Knowledge>) -> Result<RowSelection> {
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since > until
        {
            return Err(Error::usage(format!("--since {since} is later than --until {until}"))
                .hint("give the first day to --since and the last day to --until"));
        }
        let products = knowledge.into_iter().flat_map(|knowledge| {
            self.product.iter().map(move |asked| ProductFilter::new(asked, None, knowledge.families()))
        });
        Ok(RowSelection {
            architectures: self.arch.clone(),
            products: products.collect::<std::result::Result<_, _>>()?,
            classifications: self.classification.clone(),
            kinds: self.kind.clone(),
            since: self.since,
            until: self.until,
            sort: self.sort.map_or_else(SortKey::default, Into::into),
            reverse: self.reverse,
            limit: self.limit.map(|limit| limit as usize),
        })
    }
}

//! What `docket import` takes on the command line.

use std::path::PathBuf;
use std::str::FromStr;

use crate::api::{DEFAULT_URL, base_url};
use crate::connect::ConnectArgs;
use crate::platform_args::GatewayPlace;

/// Bring data of another system in, over HTTP, while the platform runs.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// Where the data comes from.
    #[command(subcommand)]
    pub(crate) source: ImportSource,
}

/// A system whose files can be read.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ImportSource {
    /// A year of a real shop: the Online Retail data set (plain or gzip CSV)
    ///
    /// Reads and checks all files first; a bad file stops the import before anything is sent. Then every sale row
    /// becomes an order line, every order goes through its whole life (reserved, paid, shipped, delivered), stock
    /// corrections and returns follow, and a report says what became of every row.
    ///
    /// Running it again changes nothing, and an interrupted import goes on where it stopped. Files may come in one run or,
    /// in order of time, in several: the end is the same. A return is matched with what the platform holds already, and a
    /// product that came without name or price gets them from a later file.
    ///
    /// The report counts rows as the files have them: its sales are those of all sale rows, whatever became of their
    /// orders. Beside each outcome stands what those orders come to; that of `completed` is what `/v1/reports/sales` shows
    /// of these files.
    ///
    /// Exit status: 0 every row was dealt with (also when orders were rejected), 1 a bad file, a platform that can't be
    /// reached, or something that the platform refused (named with file and line; all else is done), 2 wrong usage, 130
    /// interrupted.
    OnlineRetail(OnlineRetailArgs),
}

/// Options of `docket import online-retail`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct OnlineRetailArgs {
    /// CSV files, plain or gzip, in order of time
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Stock to receive first: `cover` (all that the files sell) or N units of every stocked code
    ///
    /// The data has no deliveries. With a small N real orders fail for want of stock, and are compensated; which ones then
    /// depends on what comes first, so several runs may end otherwise than one.
    #[arg(long, value_name = "cover|N", default_value = "cover", allow_negative_numbers = true)]
    pub(crate) opening_stock: OpeningStock,

    /// The running platform [default: where the gateway is, else port 8080 of this machine]
    #[arg(long, value_name = "URL", env = "DOCKET_URL", value_parser = base_url)]
    url: Option<String>,
    #[command(flatten)]
    gateway: GatewayPlace,
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,

    /// Print the report as JSON, money in minor units
    #[arg(long)]
    pub(crate) json: bool,

    /// How many orders are under way at a time
    #[arg(long, value_name = "N", default_value_t = 64,
        value_parser = concurrency, allow_negative_numbers = true)]
    pub(crate) concurrency: u16,
}

impl OnlineRetailArgs {
    /// Where the platform is.
    pub(crate) fn url(&self) -> &str {
        self.url.as_deref().or(self.gateway.url()).unwrap_or(DEFAULT_URL)
    }
}

fn concurrency(text: &str) -> Result<u16, &'static str> {
    let number = text.parse().ok().filter(|number| (1..=1_000).contains(number));
    number.ok_or("is not a whole number from 1 to 1,000")
}

/// How much stock there is before the first order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpeningStock {
    /// As much as each file needs.
    Cover,
    /// So many units of every stocked code.
    Units(u32),
}

impl FromStr for OpeningStock {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "cover" {
            return Ok(Self::Cover);
        }
        let units = text.parse().ok().filter(|units| *units <= 1_000_000_000);
        units
            .map(Self::Units)
            .ok_or_else(|| "it is `cover` or a number of units, 0 to 1,000,000,000".to_owned())
    }
}

//! Countries and their dialling codes, for the entry of phone numbers.

use std::sync::LazyLock;

use mtproto::session::Reply;
use tl::api::{
    enums,
    functions::help::GetCountriesList,
    types::help::{CountriesList, Country, CountryCode},
};

use super::{hash_of, table::COUNTRIES};
use crate::rpc::{Ctx, Result};

/// The list and its hash. Names are English whatever language is asked for.
static LIST: LazyLock<CountriesList<'static>> = LazyLock::new(|| {
    let countries = COUNTRIES.iter().map(|&(iso2, name, codes)| {
        let codes = codes.split_whitespace().map(country_code);
        Country::new(iso2, name, codes.collect())
    });
    let mut list = CountriesList::new(countries.collect(), 0);
    list.hash = hash_of(&list);
    list
});

/// `1:242` is the code 1 with the prefix 242; several prefixes stand between commas.
fn country_code(code: &'static str) -> CountryCode<'static> {
    match code.split_once(':') {
        None => CountryCode::new(code),
        Some((code, prefixes)) => {
            CountryCode { prefixes: Some(prefixes.split(',').collect()), ..CountryCode::new(code) }
        }
    }
}

/// `help.getCountriesList`: countries and their dialling codes, unless the client has them.
///
/// Source: <https://core.telegram.org/method/help.getCountriesList>.
pub async fn get_countries_list(ctx: &Ctx, request: GetCountriesList<'_>) -> Result<Reply> {
    if request.hash == LIST.hash {
        let known = enums::help::CountriesList::CountriesListNotModified;
        return Ok(ctx.answer(&request, known));
    }
    Ok(ctx.answer(&request, LIST.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_well_formed() {
        let mut before = "";
        for country in &LIST.countries {
            let iso2 = country.iso2;
            assert!(
                iso2.len() == 2 && iso2.bytes().all(|byte| byte.is_ascii_uppercase()),
                "{iso2}"
            );
            assert!(before < iso2, "{iso2} is out of order");
            before = iso2;
            assert!(!country.country_codes.is_empty(), "{iso2} has no code");
            for code in &country.country_codes {
                let prefixes = code.prefixes.iter().flatten();
                for digits in prefixes.chain([&code.country_code]) {
                    let number = digits.parse::<u32>().is_ok() && !digits.starts_with(['0', '+']);
                    assert!(number, "{iso2}: {digits}");
                }
            }
        }
    }
}

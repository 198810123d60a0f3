//! `help.*`: what a client must know before it can do anything, and what its start asks for besides.
//!
//! | file        | what                                                                    |
//! |-------------|-------------------------------------------------------------------------|
//! | `config`    | addresses, limits, intervals                                            |
//! | `app`       | settings of the client application, as JSON                             |
//! | `countries` | the list of countries and their dialling codes                          |
//! | `table`     | that list's rows                                                        |
//! | `support`   | who answers questions                                                   |
//! | `empty`     | what does not exist here                                                |

mod app;
mod config;
mod countries;
mod empty;
mod support;
mod table;

use sha2::{Digest as _, Sha256};
use tl::{Encode, Layer};

pub use app::get_app_config;
pub use config::{get_config, get_nearest_dc};
pub use countries::get_countries_list;
pub use empty::{
    accept_terms_of_service, dismiss_suggestion, get_app_update, get_cdn_config,
    get_deep_link_info, get_peer_colors, get_peer_profile_colors, get_premium_promo,
    get_promo_data, get_terms_of_service_update, get_timezones_list, hide_promo_data, save_app_log,
};
pub use support::{get_invite_text, get_support, get_support_name};

/// How many small files a client should move at once.
pub(super) const SMALL_QUEUE_COUNT: i32 = 5;
/// How many large files a client should move at once.
pub(super) const LARGE_QUEUE_COUNT: i32 = 2;

/// How long an answer that may be asked for again is good for, in seconds.
const ANSWER_LIFETIME_S: i32 = 3_600;

/// A hash that names this content, by which a client says that it has it already. Never 0, which says that it has nothing.
fn hash_of(content: &impl Encode) -> i32 {
    let digest = Sha256::digest(content.to_vec(Layer::NEWEST));
    let [a, b, c, d, ..] = <[u8; 32]>::from(digest);
    i32::from_le_bytes([a, b, c, d & 0x7f]) | 1
}

//! Addresses, limits, intervals: what a client asks for first.

use mtproto::session::Reply;
use services::limits::{CAPTION_LEN_MAX, EDIT_TIME_S, FORWARD_COUNT_MAX, MESSAGE_LEN_MAX};
use tl::api::{
    functions::help::{GetConfig, GetNearestDc},
    types::{Config, DcOption, NearestDc},
};

use super::ANSWER_LIFETIME_S;
use crate::rpc::{Ctx, Result};

/// `help.getConfig`: addresses, limits, intervals.
///
/// Every data centre id that a client may come with has the address of this server, so that whatever a client has stored
/// leads here. Limits of what exists are those that are enforced; the rest are the values that clients are used to.
///
/// Source: <https://core.telegram.org/method/help.getConfig>.
pub async fn get_config(ctx: &Ctx, request: GetConfig) -> Result<Reply> {
    let now = ctx.now();
    let dc = &ctx.config().dc;
    let advertised = ctx.shared().advertised;
    // Numeric: grammers stops at a name.
    let ip = advertised.ip().to_string();
    let dc_options = dc.accepted.iter().map(|&id| DcOption {
        ipv6: advertised.is_ipv6(),
        static_: true,
        this_port_only: true,
        ..DcOption::new(id, &ip, i32::from(advertised.port()))
    });
    let config = Config {
        date: now,
        expires: now.saturating_add(ANSWER_LIFETIME_S),
        test_mode: false,
        this_dc: dc.this,
        dc_options: dc_options.collect(),
        webfile_dc_id: dc.this,
        ..limits()
    };
    Ok(ctx.answer(&request, config))
}

/// `help.getNearestDc`: there is one data centre; where the client is, is not looked up.
///
/// Source: <https://core.telegram.org/method/help.getNearestDc>.
pub async fn get_nearest_dc(ctx: &Ctx, request: GetNearestDc) -> Result<Reply> {
    let this = ctx.config().dc.this;
    Ok(ctx.answer(&request, NearestDc::new("", this, this)))
}

/// What is the same in every configuration.
fn limits() -> Config<'static> {
    Config {
        default_p2p_contacts: false,
        preload_featured_stickers: false,
        revoke_pm_inbox: true,
        blocked_mode: false,
        force_try_ipv6: false,
        date: 0,
        expires: 0,
        test_mode: false,
        this_dc: 0,
        dc_options: Vec::new(),
        dc_txt_domain_name: "",
        chat_size_max: 200,
        megagroup_size_max: 200_000,
        forwarded_count_max: count(FORWARD_COUNT_MAX),
        online_update_period_ms: 210_000,
        offline_blur_timeout_ms: 5_000,
        offline_idle_timeout_ms: 30_000,
        online_cloud_timeout_ms: 300_000,
        notify_cloud_delay_ms: 30_000,
        notify_default_delay_ms: 1_500,
        push_chat_period_ms: 60_000,
        push_chat_limit: 2,
        edit_time_limit: EDIT_TIME_S,
        revoke_time_limit: i32::MAX,
        revoke_pm_time_limit: i32::MAX,
        rating_e_decay: 2_419_200,
        stickers_recent_limit: 200,
        channels_read_media_period: 604_800,
        tmp_sessions: None,
        call_receive_timeout_ms: 20_000,
        call_ring_timeout_ms: 90_000,
        call_connect_timeout_ms: 30_000,
        call_packet_timeout_ms: 10_000,
        me_url_prefix: "https://t.me/",
        autoupdate_url_prefix: None,
        gif_search_username: None,
        venue_search_username: None,
        img_search_username: None,
        static_maps_provider: None,
        caption_length_max: count(CAPTION_LEN_MAX),
        message_length_max: count(MESSAGE_LEN_MAX),
        webfile_dc_id: 0,
        suggested_lang_code: None,
        lang_pack_version: None,
        base_lang_pack_version: None,
        reactions_default: None,
        autologin_token: None,
    }
}

/// A bound as clients are told it.
pub(super) fn count(bound: usize) -> i32 {
    i32::try_from(bound).unwrap_or(i32::MAX)
}

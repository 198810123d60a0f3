//! What clients ask for at their start and this server has nothing of.
//!
//! An empty list has the hash 0, which is also what clients send who have none: it is always answered in full.

use mtproto::session::Reply;
use tl::api::{
    functions::help as requests,
    types::{CdnConfig, help},
};

use super::ANSWER_LIFETIME_S;
use crate::rpc::{Ctx, Result, UserCtx};

macro_rules! always {
    ($($(#[$docs:meta])* $handler:ident($ctx:ident: $who:ty, $request:ty) => $answer:expr;)*) => {$(
        $(#[$docs])*
        pub async fn $handler($ctx: &$who, request: $request) -> Result<Reply> {
            Ok($ctx.answer(&request, $answer))
        }
    )*};
}

always! {
    /// `help.getAppUpdate`: whether there is a newer version of the application.
    ///
    /// Empty by design: the server has no applications to offer.
    ///
    /// Source: <https://core.telegram.org/method/help.getAppUpdate>.
    get_app_update(ctx: Ctx, requests::GetAppUpdate<'_>) => help::NoAppUpdate {};

    /// `help.getCdnConfig`: keys of data centres that only pass files on.
    ///
    /// Empty by design: there are none.
    ///
    /// Source: <https://core.telegram.org/method/help.getCdnConfig>.
    get_cdn_config(ctx: Ctx, requests::GetCdnConfig) => CdnConfig::new(Vec::new());

    /// `help.getTimezonesList`: time zones.
    ///
    /// Empty by design: they serve opening hours of businesses, which do not exist here.
    ///
    /// Source: <https://core.telegram.org/method/help.getTimezonesList>.
    get_timezones_list(ctx: Ctx, requests::GetTimezonesList) =>
        help::TimezonesList::new(Vec::new(), 0);

    /// `help.getTermsOfServiceUpdate`: whether the terms changed.
    ///
    /// Empty by design: they never do.
    ///
    /// Source: <https://core.telegram.org/method/help.getTermsOfServiceUpdate>.
    get_terms_of_service_update(ctx: Ctx, requests::GetTermsOfServiceUpdate) =>
        help::TermsOfServiceUpdateEmpty::new(ctx.now().saturating_add(ANSWER_LIFETIME_S));

    /// `help.acceptTermsOfService`: accepts the terms.
    ///
    /// Empty by design: there are none to accept.
    ///
    /// Source: <https://core.telegram.org/method/help.acceptTermsOfService>.
    accept_terms_of_service(ctx: Ctx, requests::AcceptTermsOfService<'_>) => true;

    /// `help.getPromoData`: whether a chat is promoted, or something is suggested.
    ///
    /// Empty by design: nothing is.
    ///
    /// Source: <https://core.telegram.org/method/help.getPromoData>.
    get_promo_data(ctx: UserCtx, requests::GetPromoData) =>
        help::PromoDataEmpty::new(ctx.now().saturating_add(ANSWER_LIFETIME_S));

    /// `help.hidePromoData`: hides what is promoted.
    ///
    /// Empty by design: nothing is.
    ///
    /// Source: <https://core.telegram.org/method/help.hidePromoData>.
    hide_promo_data(ctx: UserCtx, requests::HidePromoData) => true;

    /// `help.dismissSuggestion`: hides a suggestion.
    ///
    /// Empty by design: nothing is suggested.
    ///
    /// Source: <https://core.telegram.org/method/help.dismissSuggestion>.
    dismiss_suggestion(ctx: UserCtx, requests::DismissSuggestion<'_>) => true;

    /// `help.getDeepLinkInfo`: what a link means that the client does not know.
    ///
    /// Empty by design: the server knows no other links than clients.
    ///
    /// Source: <https://core.telegram.org/method/help.getDeepLinkInfo>.
    get_deep_link_info(ctx: Ctx, requests::GetDeepLinkInfo<'_>) => help::DeepLinkInfoEmpty {};

    /// `help.getPeerColors`: the palette of accents.
    ///
    /// Empty by design: clients have the first seven built in, and there are no others.
    ///
    /// Source: <https://core.telegram.org/method/help.getPeerColors>.
    get_peer_colors(ctx: Ctx, requests::GetPeerColors) => help::PeerColors::new(0, Vec::new());

    /// `help.getPeerProfileColors`: the palette of profiles.
    ///
    /// Empty by design: profiles have no colours.
    ///
    /// Source: <https://core.telegram.org/method/help.getPeerProfileColors>.
    get_peer_profile_colors(ctx: Ctx, requests::GetPeerProfileColors) =>
        help::PeerColors::new(0, Vec::new());

    /// `help.getPremiumPromo`: what Premium is.
    ///
    /// Empty by design: there is nothing to buy.
    ///
    /// Source: <https://core.telegram.org/method/help.getPremiumPromo>.
    get_premium_promo(ctx: UserCtx, requests::GetPremiumPromo) => help::PremiumPromo::new(
        "",
        Vec::new(),
        Vec::new(),
        Vec::new(),
        Vec::new(),
        Vec::new(),
    );

    /// `help.saveAppLog`: reports what happened in the application.
    ///
    /// Empty by design: it is thrown away.
    ///
    /// Source: <https://core.telegram.org/method/help.saveAppLog>.
    save_app_log(ctx: Ctx, requests::SaveAppLog<'_>) => true;
}

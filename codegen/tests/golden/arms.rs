        0x0e670031 => call(ctx, "ping", Access::Anyone, Cost::None, tl::functions::Ping::decode, handlers::ping),
        0x78095ec0 | 0x6174674a => call(ctx, "messages.sendMessage", Access::User, Cost::Write, tl::functions::messages::SendMessage::decode, handlers::messages::send_message),
        0x60f5fd2d => call(ctx, "users.getUsers", Access::User, Cost::Read, tl::functions::users::GetUsers::decode, handlers::users::get_users),

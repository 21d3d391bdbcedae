"""Signing in, and one's own account. The names are those that django-allauth asks for."""

from django.urls import path

from console.pages import account, service, session
from console.pages.root import unknown_page

urlpatterns = [
    path("sign-in", session.sign_in, name="sign-in"),
    path("sign-in", session.sign_in, name="account_login"),
    path("sign-in/code", session.second_factor, name="mfa_authenticate"),
    path("sign-in/passkey", session.sign_in_by_passkey, name="mfa_login_webauthn"),
    path("sign-in/inactive", session.inactive, name="account_inactive"),
    path("sign-up", unknown_page, name="account_signup"),
    path("sign-out", session.sign_out, name="sign-out"),
    path("sign-out", session.sign_out, name="account_logout"),
    path("password", session.forgot, name="account_reset_password"),
    path("password/sent", session.forgot_sent, name="account_reset_password_done"),
    path(
        "password/<str:uidb36>/<str:key>",
        session.new_password,
        name="account_reset_password_from_key",
    ),
    path("password/changed", session.new_password_set, name="account_reset_password_from_key_done"),
    path("email/sent", session.email_sent, name="account_email_verification_sent"),
    path("email/<str:key>", session.confirm_email, name="account_confirm_email"),
    path("account", account.profile, name="profile"),
    path("account/confirm", account.confirm, name="account_reauthenticate"),
    path("account/confirm/code", account.confirm_by_code, name="mfa_reauthenticate"),
    path("account/confirm/passkey", account.confirm_by_passkey, name="mfa_reauthenticate_webauthn"),
    path("account/confirm/again", account.sign_in_again, name="sign-in-again"),
    path("account/email", account.email, name="account_email"),
    path("account/password", account.change_password, name="account_change_password"),
    path("account/password/first", unknown_page, name="account_set_password"),
    path("account/security", account.security, name="mfa_index"),
    path("account/security/app", account.add_app, name="mfa_activate_totp"),
    path("account/security/app/remove", account.remove_app, name="mfa_deactivate_totp"),
    path("account/security/codes", account.show_codes, name="mfa_view_recovery_codes"),
    path("account/security/codes/new", account.make_codes, name="mfa_generate_recovery_codes"),
    path("account/security/passkeys", account.security, name="mfa_list_webauthn"),
    path("account/security/passkeys/_new", account.add_passkey, name="mfa_add_webauthn"),
    path("account/security/passkeys/<int:pk>", account.rename_passkey, name="mfa_edit_webauthn"),
    path(
        "account/security/passkeys/<int:pk>/remove",
        account.remove_passkey,
        name="mfa_remove_webauthn",
    ),
    path("account/sessions", account.sessions, name="usersessions_list"),
    path("people/<str:username>/sessions", account.person_sessions, name="person-sessions"),
    path("sign-in/service", service.service_sign_in, name="service-sign-in"),
    path("sign-in/service/callback", service.service_callback, name="service-callback"),
    path("account/service/link", service.service_link, name="service-link"),
    path("account/service/unlink", service.service_unlink, name="service-unlink"),
    path("account/no-access", service.no_access, name="no-access"),
]

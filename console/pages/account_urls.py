"""Signing in, and one's own account. The names are those that django-allauth asks for."""

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.usersessions import views as sessions
from django.urls import path

from console.pages import service, session
from console.pages.root import unknown_page

urlpatterns = [
    path("sign-in", session.sign_in, name="sign-in"),
    path("sign-in", session.sign_in, name="account_login"),
    path("sign-in/code", session.second_factor, name="mfa_authenticate"),
    path("sign-in/passkey", session.sign_in_by_passkey, name="mfa_login_webauthn"),
    path("sign-in/inactive", account.account_inactive, name="account_inactive"),
    path("sign-up", unknown_page, name="account_signup"),
    path("sign-out", session.sign_out, name="sign-out"),
    path("sign-out", session.sign_out, name="account_logout"),
    path("password", account.password_reset, name="account_reset_password"),
    path("password/sent", account.password_reset_done, name="account_reset_password_done"),
    path(
        "password/<str:uidb36>/<str:key>",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path(
        "password/changed",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    path("account/confirm", account.reauthenticate, name="account_reauthenticate"),
    path("account/confirm/code", factors.reauthenticate, name="mfa_reauthenticate"),
    path(
        "account/confirm/passkey",
        passkeys.reauthenticate_webauthn,
        name="mfa_reauthenticate_webauthn",
    ),
    path("account/email", account.email, name="account_email"),
    path(
        "account/email/sent",
        account.email_verification_sent,
        name="account_email_verification_sent",
    ),
    path("account/email/<str:key>", account.confirm_email, name="account_confirm_email"),
    path("account/password", account.password_change, name="account_change_password"),
    path("account/password/first", account.password_set, name="account_set_password"),
    path("account/security", factors.index, name="mfa_index"),
    path("account/security/app", totp.activate_totp, name="mfa_activate_totp"),
    path("account/security/app/remove", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path(
        "account/security/codes", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"
    ),
    path(
        "account/security/codes/new",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/security/codes/file",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    path("account/security/passkeys", passkeys.list_webauthn, name="mfa_list_webauthn"),
    path("account/security/passkeys/_new", passkeys.add_webauthn, name="mfa_add_webauthn"),
    path("account/security/passkeys/<int:pk>", passkeys.edit_webauthn, name="mfa_edit_webauthn"),
    path(
        "account/security/passkeys/<int:pk>/remove",
        passkeys.remove_webauthn,
        name="mfa_remove_webauthn",
    ),
    path("account/sessions", sessions.list_usersessions, name="usersessions_list"),
    path("sign-in/service", service.service_sign_in, name="service-sign-in"),
    path("sign-in/service/callback", service.service_callback, name="service-callback"),
    path("account/service/link", service.service_link, name="service-link"),
    path("account/service/unlink", service.service_unlink, name="service-unlink"),
    path("account/no-access", service.no_access, name="no-access"),
]

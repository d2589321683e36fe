"""Which store a RemoteConf means: the fields that count for each type, and what is to be judged before it is used.

As ``remote_storage`` of SeaweedFS and ``guardedRemoteClient`` in its ``volume_grpc_remote.go``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from seaweedvol.storage.errors import RemoteRefused
from seaweedvol.tier.addresses import check_endpoint, guarded_connect
from seaweedvol.tier.remotes import Remote, S3Remote, S3Settings

if TYPE_CHECKING:
    from seaweedvol.pb.remote_pb2 import RemoteConf


def s3_settings(conf: RemoteConf) -> S3Settings | None:
    """How to reach a store of the S3 family, None for other types. Empty keys may be in the environment."""
    env = os.environ.get
    match conf.type:
        case "s3":
            return S3Settings(conf.s3_endpoint, conf.s3_region, conf.s3_access_key, conf.s3_secret_key,
                              conf.s3_force_path_style, is_anonymous=True)
        case "aliyun":
            return S3Settings(conf.aliyun_endpoint, conf.aliyun_region,
                              conf.aliyun_access_key or env("ALICLOUD_ACCESS_KEY_ID", ""),
                              conf.aliyun_secret_key or env("ALICLOUD_ACCESS_KEY_SECRET", ""))
        case "b2":
            return S3Settings(conf.backblaze_endpoint, conf.backblaze_region, conf.backblaze_key_id,
                              conf.backblaze_application_key, True)
        case "baidu":
            return S3Settings(conf.baidu_endpoint, conf.baidu_region,
                              conf.baidu_access_key or env("BDCLOUD_ACCESS_KEY", ""),
                              conf.baidu_secret_key or env("BDCLOUD_SECRET_KEY", ""))
        case "contabo":
            return S3Settings(conf.contabo_endpoint, conf.contabo_region,
                              conf.contabo_access_key or env("ACCESS_KEY", ""),
                              conf.contabo_secret_key or env("SECRET_KEY", ""), True)
        case "filebase":
            return S3Settings(conf.filebase_endpoint, "us-east-1",
                              conf.filebase_access_key or env("AWS_ACCESS_KEY_ID", ""),
                              conf.filebase_secret_key or env("AWS_SECRET_ACCESS_KEY", ""), True)
        case "storj":
            return S3Settings(conf.storj_endpoint, "us-west-2",
                              conf.storj_access_key or env("AWS_ACCESS_KEY_ID", ""),
                              conf.storj_secret_key or env("AWS_SECRET_ACCESS_KEY", ""), True)
        case "tencent":
            return S3Settings(conf.tencent_endpoint, "us-west-2",
                              conf.tencent_secret_id or env("COS_SECRETID", ""),
                              conf.tencent_secret_key or env("COS_SECRETKEY", ""), True)
        case "wasabi":
            return S3Settings(conf.wasabi_endpoint, conf.wasabi_region, conf.wasabi_access_key,
                              conf.wasabi_secret_key, True)
    return None


def check_conf(conf: RemoteConf) -> None:
    """Judge what a caller would have this server talk to.

    :raises RemoteRefused: when it must not; the text is the whole message.
    """
    if conf.type == "gcs":
        from seaweedvol.tier.gcs import check_credentials

        try:
            check_credentials(conf.gcs_google_application_credentials)
        except RemoteRefused as error:
            raise RemoteRefused(f"reject remote credentials: {error}") from None
    endpoint = endpoint_of(conf)
    if endpoint is not None:
        try:
            check_endpoint(endpoint)
        except RemoteRefused as error:
            raise RemoteRefused(f"reject remote endpoint: {error}") from None


def endpoint_of(conf: RemoteConf) -> str | None:
    """The endpoint that the caller chose, None when the type has a fixed one."""
    settings = s3_settings(conf)
    if settings is not None:
        return settings.endpoint
    if conf.type == "azure" and conf.azure_endpoint:
        return conf.azure_endpoint
    if conf.type == "gcs" and conf.gcs_google_application_credentials.startswith("{"):
        from seaweedvol.tier.gcs import parse_credentials

        return parse_credentials(conf.gcs_google_application_credentials)[1]
    return None


def remote_of(conf: RemoteConf, *, is_trusted: bool) -> Remote:
    """A client of the store.

    :param is_trusted: connect without judging addresses.
    :raises RemoteRefused: when there is no such type of store, or its settings are no good.
    """
    endpoint = endpoint_of(conf)
    guarded = None if is_trusted or endpoint is None else guarded_connect(endpoint)
    settings = s3_settings(conf)
    if settings is not None:
        return S3Remote(settings, guarded) if guarded is not None else S3Remote(settings)
    if conf.type == "gcs":
        from seaweedvol.tier.gcs import GcsRemote

        return GcsRemote(conf.gcs_google_application_credentials, conf.gcs_project_id, guarded)
    if conf.type == "azure":
        from seaweedvol.tier.azure import AzureRemote

        account = conf.azure_account_name or os.environ.get("AZURE_STORAGE_ACCOUNT", "")
        key = conf.azure_account_key
        if not key and not conf.azure_client_id:
            key = os.environ.get("AZURE_STORAGE_ACCESS_KEY", "")
        return AzureRemote(account, key, conf.azure_client_id, conf.azure_endpoint, guarded)
    raise RemoteRefused(f"make remote storage client {conf.name}: remote storage type {conf.type} not found")

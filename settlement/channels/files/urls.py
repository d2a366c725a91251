"""Addresses of the file channel's data plane, under /data/."""

from django.urls import path

from settlement.channels.files.download import download

urlpatterns = [path("files/<str:token>/<str:name>", download, name="data_file")]

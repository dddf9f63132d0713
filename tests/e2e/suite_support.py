"""The streams of the SDK's suite for targets, and what tells their rows apart."""

from __future__ import annotations

IDS = {
    "test_array_data": "str(id)",
    "TestCamelcase": "Id",
    "ForecastingTypeToCategory": "Id",
    "test_duplicate_records": "str(id)",
    "test_strings": "str(id)",
    "test_strings_in_objects": "str(id)",
    "test_strings_in_arrays": "str(id)",
    "test_no_pk": "str(id)",
    "test_optional_attributes": "str(id)",
    "example_stream": "str(id)",
    "record_missing_fields": "str(id)",
    "test_object_schema_with_properties": "str(object_store['id'])",
    "test_object_schema_no_properties": "str(object_store['id'])",
    "test_schema_updates": "str(id)",
    "test:SpecialChars!in?attributes": "_id",
}

// Ours: starts Swagger UI on the description of this service. It asks nobody else, hence no validator.
window.addEventListener("DOMContentLoaded", () => {
  SwaggerUIBundle({ url: "openapi.json", dom_id: "#swagger-ui", validatorUrl: null, deepLinking: true });
});
